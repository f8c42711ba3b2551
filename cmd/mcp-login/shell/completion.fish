# Completion of mcp-login for fish.
#   mcp-login completion fish | source

function __mcp_login_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (command mcp-login __complete $words ".$current" 2>/dev/null)
        switch $line
            case :files :folders
                set -l kept (string match -r '^.*[=:]' -- $current)
                set -l rest (string replace -r '^.*[=:]' '' -- $current)
                set -l paths (__fish_complete_directories "$rest" '')
                test $line = :files; and set paths (__fish_complete_path "$rest")
                for path in $paths
                    echo "$kept$path"
                end
            case ':command *'
                set -l first (math (string replace ':command ' '' -- $line) + 1)
                set -l others
                test (count $words) -ge $first; and set others (string escape -- $words[$first..-1])
                complete -C (string join ' ' -- $others "$current")
            case '*'
                echo $line
        end
    end
end

complete -c mcp-login -f -a '(__mcp_login_complete)'
