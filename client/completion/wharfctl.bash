# Completion of wharfctl(1) for bash: wharfctl itself says what may come next.
_wharfctl()
{
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT}
    # Where nothing fits, names of files do.
    compopt -o nospace -o default
    COMPREPLY=($(WHARFCTL_BREAKS=$COMP_WORDBREAKS "$1" __complete --line "$line" 2>/dev/null))
}
complete -F _wharfctl wharfctl
