# Refreshes the variables of mcp-login env before a prompt, in zsh.
#   eval "$(mcp-login hook zsh)"

# An arithmetic expression can run commands, and variables may be inherited, so use
# only digits in one. The environment can define EPOCHSECONDS too, so do not use it.
_mcp_login_hook() {
  emulate -L zsh
  local now soon name wait next text
  now=${(%):-'%D{%s}'}
  TZ=UTC0 strftime -s soon %Y-%m-%dT%H:%M:%SZ $((now + @MARGIN@))
  for name in ${parameters[(I)MCP_*_EXPIRES_AT]}; do
    [[ $name != *[^A-Za-z0-9_]* && ${(P)name} == [0-9]* && ${(P)name} < $soon ]] || continue
    wait=_mcp_login_wait_$name
    next=${(P)wait:-0}
    [[ $next == *[^0-9]* || $#next -gt 18 ]] && next=0
    ((10#$next <= now)) || continue
    if text=$(command mcp-login hook zsh --due $name @FLAGS@ </dev/null); then
      eval $text
      typeset -g $wait=$((now + 30))
    else
      # A sign-in is required. Until then, no program should use the old token.
      (($? == 4)) && unset ${name%EXPIRES_AT}{AUTHORIZATION,TOKEN,URL,EXPIRES_AT}
      typeset -g $wait=$((now + 300))
    fi
  done
}

zmodload -F zsh/datetime b:strftime
zmodload zsh/parameter
autoload -Uz add-zsh-hook
add-zsh-hook precmd _mcp_login_hook
