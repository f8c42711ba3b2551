# Completion of mcp-login for fish.
#   mcp-login completion fish | source

# __complete prints one candidate per line, in fields separated by tabs. The first
# field is its kind: w (a word, and its description), f (files), d (folders) or
# c (a command line, after a number of words).
function __mcp_login_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (command mcp-login __complete $words ".$current" 2>/dev/null)
        set -l fields (string split -m 1 \t -- $line)
        switch $fields[1]
            case f d
                set -l kept (string match -r '^.*[=:]' -- $current)
                set -l rest (string replace -r '^.*[=:]' '' -- $current)
                set -l paths (__fish_complete_directories "$rest" '')
                test $fields[1] = f; and set paths (__fish_complete_path "$rest")
                for path in $paths
                    printf '%s\n' "$kept$path"
                end
            case c
                string match -qr '^[0-9]{1,6}$' -- $fields[2]
                or return
                set -l first (math $fields[2] + 1)
                set -l others
                test (count $words) -ge $first; and set others (string escape -- $words[$first..-1])
                complete -C (string join ' ' -- $others "$current")
            case w
                # fish does not quote a leading tilde when it inserts a word.
                string match -q '~*' -- $fields[2]; or printf '%s\n' $fields[2]
        end
    end
end

complete -c mcp-login -f -a '(__mcp_login_complete)'
