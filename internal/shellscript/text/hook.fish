# Refreshes the variables of mcp-login env before a prompt, in fish.
#   mcp-login hook fish | source

if contains path (builtin --names)
    function __mcp_login_now # the modification time of / plus its age
        math (path mtime /) + (path mtime --relative /)
    end
else # fish before 3.5 has no built-in clock
    function __mcp_login_now
        command date +%s
    end
end

function __mcp_login_epoch --argument-names stamp # converts 2026-11-23T15:04:05Z, using the Julian day
    string match -qr '^(?<y>\d{4})-(?<m>\d\d)-(?<d>\d\d)T(?<H>\d\d):(?<M>\d\d):(?<S>\d\d)Z$' -- $stamp
    or return
    set -l a (math "floor((14 - $m) / 12)")
    set y (math $y + 4800 - $a)
    set m (math $m + 12 x $a - 3)
    math "($d + floor((153 x $m + 2) / 5) + 365 x $y + floor($y / 4) - floor($y / 100) + floor($y / 400) - 2472633) x 86400 + $H x 3600 + $M x 60 + $S"
end

function __mcp_login_hook --on-event fish_prompt
    set -l names (string match -r '^MCP_[A-Za-z0-9_]*_EXPIRES_AT$' -- (set --names --export))
    or return
    set -l now (__mcp_login_now)
    for name in $names
        set -l expiry (__mcp_login_epoch "$$name")
        or continue
        test $expiry -lt (math $now + @MARGIN@)
        or continue
        set -l wait __mcp_login_wait_$name
        if string match -qr '^[0-9]{1,18}$' -- "$$wait"; and test $$wait -gt $now
            continue
        end
        if set -l text (command mcp-login hook fish --due $name @FLAGS@ </dev/null)
            string join \n -- $text | source
            set -g $wait (math $now + 30)
        else
            # A sign-in is required. Until then, no program should use the old token.
            test $status -eq 4; and set -e (string replace -r 'EXPIRES_AT$' '' -- $name){AUTHORIZATION,TOKEN,URL,EXPIRES_AT}
            set -g $wait (math $now + 300)
        end
    end
end
