# Completion of mcp-login for bash.
#   eval "$(mcp-login completion bash)"

_mcp_login() {
  # bash also breaks words at = and :, unlike the program. They are joined
  # again where no space was between them.
  local rest=$COMP_LINE i n=-1 words=() starts=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
      words[++n]= starts[n]=$i
      rest=${rest#"${rest%%[![:space:]]*}"}
    fi
    words[n]+=${COMP_WORDS[i]}
    rest=${rest#"${COMP_WORDS[i]}"}
  done

  # What stands before the last break is not replaced.
  local current=${words[n]} breaks= kept=
  [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
  [[ -n $breaks ]] && kept=${current%"${current##*[$breaks]}"}

  COMPREPLY=()
  local word about
  while IFS=$'\t' read -r word about; do
    case $word in
    :files | :folders)
      local what=-f
      [[ $word == :folders ]] && what=-d
      while IFS= read -r word; do
        COMPREPLY+=("$word")
      done < <(compgen $what -- "${current#"${current%"${current##*[=:]}"}"}")
      compopt -o filenames 2>/dev/null
      return
      ;;
    ':command '*)
      n=$((${word#:command } + 1))
      if declare -F _command_offset >/dev/null; then
        _command_offset "${starts[n]}"
      else # without the package bash-completion
        local what=-f
        ((n == ${#words[@]} - 1)) && what=-c
        while IFS= read -r word; do
          COMPREPLY+=("$word")
        done < <(compgen $what -- "$current")
        [[ $what == -f ]] && compopt -o filenames 2>/dev/null
      fi
      return
      ;;
    *[=:]) compopt -o nospace 2>/dev/null ;;
    esac
    word=${word#"$kept"}
    [[ $word == *[^A-Za-z0-9_./:=,@%+-]* ]] && printf -v word %q "$word"
    COMPREPLY+=("$word")
  done < <(command mcp-login __complete "${words[@]:1:n-1}" ".$current" 2>/dev/null)
}

complete -F _mcp_login mcp-login
