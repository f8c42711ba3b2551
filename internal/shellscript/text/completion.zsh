#compdef mcp-login
# Completion of mcp-login for zsh, after compinit.
#   eval "$(mcp-login completion zsh)"
# or as the file _mcp-login in a folder of $fpath.

# __complete prints one candidate per line, in fields separated by tabs. The first
# field is its kind: w (a word, and its description), f (files), d (folders) or
# c (a command line, after a number of words).
_mcp-login() {
  local line kind word about
  local -a lines open closed before
  ((CURRENT > 2)) && before=("${(@Q)words[2,CURRENT-1]}")
  lines=("${(@f)$(command mcp-login __complete "${before[@]}" ".${(Q)PREFIX}" 2>/dev/null)}")
  for line in $lines; do
    kind=${line%%$'\t'*} word=${line#*$'\t'}
    case $kind in
      (f)
        compset -P '*[=:]'
        _files
        return
        ;;
      (d)
        compset -P '*='
        _files -/
        return
        ;;
      (c)
        # An arithmetic expression can run commands, so accept digits only.
        [[ $word == [0-9]* && $word != *[^0-9]* && $#word -le 6 ]] || return
        integer skip=$((10#$word + 1))
        shift $skip words
        ((CURRENT -= skip))
        _normal
        return
        ;;
      (w)
        about=${word#*$'\t'} word=${word%%$'\t'*}
        line=${${word//\\/\\\\}//:/\\:}${about:+:$about}
        if [[ $word == *[=:] ]]; then open+=("$line"); else closed+=("$line"); fi
        ;;
    esac
  done
  local -i found=1
  (($#closed)) && _describe mcp-login closed && found=0
  (($#open)) && _describe mcp-login open -S '' && found=0
  return found
}

if [[ $funcstack[1] == _mcp-login ]]; then
  _mcp-login "$@"
else
  (($+functions[compdef])) || { autoload -Uz compinit && compinit }
  compdef _mcp-login mcp-login
fi
