# Completion of mcp-login for bash.
#   eval "$(mcp-login completion bash)"

# __complete prints one candidate per line, in fields separated by tabs. The first
# field is its kind: w (a word, and its description), f (files), d (folders) or
# c (a command line, after a number of words).
_mcp_login() {
  # bash also breaks words at = and :, unlike the program. Join words without a
  # space between them.
  local rest=$COMP_LINE i n=-1 words=() starts=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
      words[++n]= starts[n]=$i
      rest=${rest#"${rest%%[![:space:]]*}"}
    fi
    words[n]+=${COMP_WORDS[i]}
    rest=${rest#"${COMP_WORDS[i]}"}
  done

  # bash keeps the part of the word before the last break.
  local current=${words[n]} breaks= kept=
  [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
  [[ -n $breaks ]] && kept=${current%"${current##*[$breaks]}"}

  COMPREPLY=()
  local kind word about what
  while IFS=$'\t' read -r kind word about; do
    case $kind in
    f | d)
      what=-f
      [[ $kind == d ]] && what=-d
      while IFS= read -r word; do
        COMPREPLY+=("$word")
      done < <(compgen $what -- "${current#"${current%"${current##*[=:]}"}"}")
      compopt -o filenames 2>/dev/null
      return
      ;;
    c)
      # An arithmetic expression can run commands, so accept digits only.
      [[ $word =~ ^[0-9]{1,6}$ ]] || return
      i=$((10#$word + 1))
      if declare -F _command_offset >/dev/null; then
        _command_offset "${starts[i]}"
      else # without the package bash-completion
        what=-f
        ((i == ${#words[@]} - 1)) && what=-c
        while IFS= read -r word; do
          COMPREPLY+=("$word")
        done < <(compgen $what -- "$current")
        [[ $what == -f ]] && compopt -o filenames 2>/dev/null
      fi
      return
      ;;
    w)
      [[ $word == *[=:] ]] && compopt -o nospace 2>/dev/null
      word=${word#"$kept"}
      [[ $word == *[^A-Za-z0-9_./:=,@%+-]* ]] && printf -v word %q "$word"
      COMPREPLY+=("$word")
      ;;
    esac
  done < <(command mcp-login __complete "${words[@]:1:n-1}" ".$current" 2>/dev/null)
}

complete -F _mcp_login mcp-login
