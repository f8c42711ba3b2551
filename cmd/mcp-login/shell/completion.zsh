#compdef mcp-login
# Completion of mcp-login for zsh, after compinit.
#   eval "$(mcp-login completion zsh)"
# or as the file _mcp-login in a folder of $fpath.

_mcp-login() {
  local line word about
  local -a lines open closed before
  ((CURRENT > 2)) && before=("${(@Q)words[2,CURRENT-1]}")
  lines=("${(@f)$(command mcp-login __complete "${before[@]}" ".${(Q)PREFIX}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      (:files)
        compset -P '*[=:]'
        _files
        return
        ;;
      (:folders)
        compset -P '*='
        _files -/
        return
        ;;
      (':command '*)
        integer skip=$((${line#:command } + 1))
        shift $skip words
        ((CURRENT -= skip))
        _normal
        return
        ;;
    esac
    word=${line%%$'\t'*} about=${line#*$'\t'}
    line=${${word//\\/\\\\}//:/\\:}${about:+:$about}
    if [[ $word == *[=:] ]]; then open+=("$line"); else closed+=("$line"); fi
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
