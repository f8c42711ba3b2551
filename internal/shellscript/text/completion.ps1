# Completion of mcp-login for PowerShell.
#   mcp-login completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName mcp-login -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_.Value -is [string]) { $_.Value } else { $_.Extent.Text } })
    $program = Get-Command mcp-login -CommandType Application | Select-Object -First 1
    & $program __complete @before ".$wordToComplete" 2>$null | ForEach-Object {
        $kind, $word, $about = $_ -split "`t", 3
        if ($kind -ceq 'w') { # without a result, PowerShell completes files by itself
            $text = $word
            if ($text -notmatch '^[A-Za-z0-9_\-][A-Za-z0-9_\-./:=,]*$') { $text = "'" + $text.Replace("'", "''") + "'" }
            if (-not $about) { $about = $word }
            [System.Management.Automation.CompletionResult]::new($text, $word, 'ParameterValue', $about)
        }
    }
}
