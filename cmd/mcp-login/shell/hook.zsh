# Refreshes the variables of mcp-login env before a prompt, in zsh.
#   eval "$(mcp-login hook zsh)"

_mcp_login_hook() {
  emulate -L zsh
  local soon name wait text
  local -i now=EPOCHSECONDS
  TZ=UTC0 strftime -s soon %Y-%m-%dT%H:%M:%SZ $((now + @MARGIN@))
  for name in ${parameters[(I)MCP_*_EXPIRES_AT]}; do
    [[ -n ${(P)name} && ${(P)name} < $soon ]] || continue
    wait=_mcp_login_wait_$name
    ((${(P)wait:-0} <= now)) || continue
    if text=$(command mcp-login hook zsh --due $name @FLAGS@ </dev/null); then
      eval $text
      typeset -g $wait=$((now + 30))
    else
      typeset -g $wait=$((now + 300))
    fi
  done
}

zmodload zsh/datetime zsh/parameter
autoload -Uz add-zsh-hook
add-zsh-hook precmd _mcp_login_hook
