# Refreshes the variables of mcp-login env before a prompt, in bash 4.2 or later.
#   eval "$(mcp-login hook bash)"

# An arithmetic expression can run commands, and variables may be inherited, so use
# only digits in one.
_mcp_login_hook() {
  local status=$? now soon name wait next text
  printf -v now '%(%s)T' -1
  TZ=UTC0 printf -v soon '%(%Y-%m-%dT%H:%M:%SZ)T' "$((now + @MARGIN@))"
  for name in "${!MCP_@}"; do
    [[ $name == *_EXPIRES_AT && ${!name} == [0-9]* && ${!name} < $soon ]] || continue
    wait=_mcp_login_wait_$name
    next=${!wait:-0}
    [[ $next =~ ^[0-9]{1,18}$ ]] || next=0
    ((10#$next <= now)) || continue
    if text=$(command mcp-login hook bash --due "$name" @FLAGS@ </dev/null); then
      eval "$text"
      printf -v "$wait" %s "$((now + 30))"
    else
      # A sign-in is required. Until then, no program should use the old token.
      (($? == 4)) && unset "${name%EXPIRES_AT}"{AUTHORIZATION,TOKEN,URL,EXPIRES_AT}
      printf -v "$wait" %s "$((now + 300))"
    fi
  done
  return "$status"
}

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 402)); then
  echo 'mcp-login: the hook requires bash 4.2 or later' >&2
elif [[ ${PROMPT_COMMAND[*]-} != *_mcp_login_hook* ]]; then
  PROMPT_COMMAND="_mcp_login_hook${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
fi
