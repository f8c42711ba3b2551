# Completion of mcp-login for fish.
#   mcp-login completion fish | source

# Each line of __complete begins with what it is, a tab before all that follows:
# w and a word, f for files, d for folders, c and a number for a command line.
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
                # fish quotes what it inserts, but for a tilde at the beginning.
                string match -q '~*' -- $fields[2]; or printf '%s\n' $fields[2]
        end
    end
end

complete -c mcp-login -f -a '(__mcp_login_complete)'
