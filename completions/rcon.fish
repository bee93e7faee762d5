# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_rcon_global_optspecs
    string join \n root= runroot= storage-driver= storage-opt= cgroup-manager= log-level= v/version h/help
end

function __fish_rcon_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_rcon_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_rcon_using_subcommand
    set -l cmd (__fish_rcon_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c rcon -n "__fish_rcon_needs_command" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_needs_command" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_needs_command" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_needs_command" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_needs_command" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_needs_command" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_needs_command" -s v -l version -d 'Print the version'
complete -c rcon -n "__fish_rcon_needs_command" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "run" -d 'Run a command in a new container'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "ps" -d 'List containers'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "logs" -d 'Print what containers wrote'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "inspect" -d 'Describe containers and images'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "rm" -d 'Remove containers'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "pull" -d 'Pull images from a registry'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "images" -d 'List the images that are here'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "rmi" -d 'Remove images'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "image" -d 'Manage images'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "unshare" -d 'Run a command as root of your user namespace'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "runtime" -d 'Run containers from OCI bundles'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "system" -d 'Look after what rcon keeps on disk'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "info" -d 'Show this machine, the store and what rcon makes of them'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "doctor" -d 'Examine this machine: what it lacks, what is lost without it, what mends it'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "version" -d 'Show the version of rcon'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "completion" -d 'Print the completion script of a shell'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "generate-docs" -d 'Write completion scripts and manual pages below a directory'
complete -c rcon -n "__fish_rcon_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand run" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand run" -l rootfs -d 'Take the first word for a directory of the host; with :O at its end writes are thrown away' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l entrypoint -d 'Replace the image\'s entrypoint: a program, or a JSON array of words' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s t -l tty -d 'Give the process a terminal' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s i -l interactive -d 'Keep standard input open' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s e -l env -d 'Set a variable: NAME=VALUE; NAME takes the caller\'s value, PRE* all of the caller\'s that begin so' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l env-file -d 'Read variables from a file, one a line' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -l unsetenv -d 'Leave out a variable of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l unsetenv-all -d 'Leave out all variables but those that are set here' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l http-proxy -d 'Pass the caller\'s proxy variables on [default: true]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s w -l workdir -d 'Working directory' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -s u -l user -d 'User: NAME or id, with :GROUP' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l group-add -d 'Add a supplementary group, or keep-groups for the caller\'s own' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l umask -d 'File mode creation mask [default: 0022]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l ulimit -d 'Limit a resource: NAME=SOFT[:HARD], or host for the caller\'s limits' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l oom-score-adj -d 'How readily the kernel ends the process when memory is short, -1000 to 1000' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l systemd -d 'Prepare the container for systemd: true (where it is the command), false or always' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l detach-keys -d 'Keys that leave the container running [default: ctrl-p,ctrl-q]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l sig-proxy -d 'Pass signals on to the process (without --tty)' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l name -d 'Name of the container' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s h -l hostname -d 'Host name inside the container [default: its short id]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s l -l label -d 'Set metadata: KEY=VALUE' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l label-file -d 'Read labels from a file, one a line' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -l annotation -d 'Set an annotation of the OCI specification: KEY=VALUE' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l rm -d 'Remove the container when it has ended' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l replace -d 'Remove another container of the same name first' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cidfile -d 'Write the container\'s id to this file, which must not exist' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand run" -l init -d 'Run a small init as pid 1, which forwards signals and reaps' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l stop-signal -d 'Signal that asks the container to end [default: the image\'s, or SIGTERM]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l stop-timeout -d 'Seconds until a container that was asked to end is killed [default: 10]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s v -l volume -d 'Mount a directory, a file or a volume: [SOURCE:]DESTINATION[:ro,noexec,rslave,…]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l mount -d 'Mount: type=bind|volume|tmpfs|devpts,src=…,dst=…,ro,…' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l tmpfs -d 'Mount a file system in memory: DESTINATION[:size=64m,mode=1777,exec,…]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l image-volume -d 'What becomes of the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l read-only -d 'Make the root file system read-only' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l read-only-tmpfs -d 'With --read-only, keep /run, /tmp and /var/tmp writable in memory' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l shm-size -d 'Size of /dev/shm [default: 64m]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l device -d 'Add a device of the host: SOURCE[:DESTINATION][:rwm]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l tz -d 'Time zone: local or a name like Europe/Berlin' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l network -l net -d 'Network: pasta[:ARG,…], slirp4netns[:OPT,…], none, host, container:NAME or ns:PATH [default: pasta, else slirp4netns]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s p -l publish -d 'Publish a port: [[IP:][HOST]:]CONTAINER[/tcp|udp]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s P -l publish-all -d 'Publish every port that the image or --expose names' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l expose -d 'Name a port for --publish-all: PORT[-PORT][/tcp|udp]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l dns -d 'Name server, or none to leave the image\'s resolv.conf alone' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l dns-search -d 'Domain that short host names are looked up in' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l dns-option -l dns-opt -d 'Option of resolv.conf' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l add-host -d 'Add a line to /etc/hosts: NAME[;NAME…]:ADDRESS, or NAME:host-gateway' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l no-hosts -d 'Leave the image\'s /etc/hosts alone' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l privileged -d 'Give all capabilities of the user namespace and the host\'s devices; hide and filter nothing' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l pid -d 'Processes that it sees: private, host, container:NAME or ns:PATH [default: private]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l ipc -d 'Shared memory and message queues: private, shareable, none, host, container:NAME or ns:PATH [default: private]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l uts -d 'Host name: private, host, container:NAME or ns:PATH [default: private]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cap-add -d 'Add a capability, or ALL' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cap-drop -d 'Drop a capability, or ALL' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l security-opt -d 'no-new-privileges, seccomp=unconfined|FILE, mask=PATH, unmask=ALL|PATH, apparmor=PROFILE, label=…, proc-opts=…' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l sysctl -d 'Set a kernel parameter of the container\'s namespaces: NAME=VALUE' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s m -l memory -d 'The most memory: BYTES, or with a unit b, k, m, g' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l memory-swap -d 'The most memory and swap together, or -1 for as much swap as there is [default: twice the memory]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l memory-reservation -d 'Memory that is left to the container when others are short of it' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cpus -d 'The most processor time, in processors: 1.5' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s c -l cpu-shares -d 'Share of processor time against others who want it, 1024 being the usual' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cpu-quota -d 'Microseconds of processor time in each --cpu-period, or -1' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cpu-period -d 'The period of --cpu-quota in microseconds [default: 100000]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cpuset-cpus -d 'Processors to run on: 0-3,8' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cpuset-mems -d 'Memory nodes to use: 0-3,8' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l pids-limit -d 'The most processes and threads, or -1 [default: 2048]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l blkio-weight -d 'Share of disk time against others who want it, 10 to 1000' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l blkio-weight-device -d 'The same for one disk: DEVICE:WEIGHT' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l device-read-bps -d 'The most bytes a second that are read: DEVICE:SIZE' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l device-write-bps -d 'The most bytes a second that are written: DEVICE:SIZE' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l device-read-iops -d 'The most reads a second: DEVICE:NUMBER' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l device-write-iops -d 'The most writes a second: DEVICE:NUMBER' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cgroup-conf -d 'Write to a file of the control group: memory.high=1073741824' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cgroup-parent -d 'Where the control group goes: NAME.slice with systemd, else an absolute path in /sys/fs/cgroup' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cgroups -d 'Whether there is a control group: enabled, disabled, no-conmon (the monitor stays out of it), or split (below the caller\'s)' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l cgroupns -d 'What the container sees of control groups: private (its own) or host' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l userns -d 'host, keep-id[:uid=…,gid=…], nomap or auto [default: host, where the container\'s root is you]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l uidmap -d 'Map user ids: [u+]CONTAINER:FROM[:AMOUNT]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l gidmap -d 'Map group ids: [g+]CONTAINER:FROM[:AMOUNT]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l pull -d 'When to pull: always, missing, newer or never [default: missing]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l platform -d 'Platform of the image: OS/ARCH[/VARIANT]' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l arch -d 'Architecture of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l os -d 'Operating system of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l variant -d 'Variant of the architecture' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -s q -l quiet -d 'Show no progress of a pull' -r
complete -c rcon -n "__fish_rcon_using_subcommand run" -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s f -l filter -d 'Show those alone that meet a condition: ancestor, before, exited, id, label, name, since, status, until, volume' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l format -d 'A Go template, `table` and a Go template, or json' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s n -l last -d 'Show the last N containers that were created, in whatever state' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l sort -d 'By what to sort: command, created, id, image, names, runningfor, status' -r
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s a -l all -d 'Show the containers that do not run too'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s l -l latest -d 'Show the container that was created last'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l no-trunc -d 'Do not shorten ids and commands'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -l noheading -d 'Leave the headings out'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s q -l quiet -d 'Print ids alone'
complete -c rcon -n "__fish_rcon_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l tail -d 'Print the last N lines alone' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l since -d 'Leave out what is older: a date, seconds since 1970, or how long ago (10m)' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -l until -d 'Leave out what is newer' -r
complete -c rcon -n "__fish_rcon_using_subcommand logs" -s f -l follow -d 'Go on until the container ends'
complete -c rcon -n "__fish_rcon_using_subcommand logs" -s n -l names -d 'Print the container\'s name before each line'
complete -c rcon -n "__fish_rcon_using_subcommand logs" -s t -l timestamps -d 'Print the time before each line'
complete -c rcon -n "__fish_rcon_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -s f -l format -d 'A Go template, or json' -r
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -s t -l type -d 'What the names mean: container, image or all' -r -f -a "all\t''
container\t''
image\t''"
complete -c rcon -n "__fish_rcon_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s t -l time -d 'Seconds that a container has to stop by itself, with --force: 0, there is no stop yet' -r
complete -c rcon -n "__fish_rcon_using_subcommand rm" -l cidfile -d 'Read the id from a file' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s a -l all -d 'Remove all containers'
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s f -l force -d 'Kill those that run; it is no failure if there is no such container'
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s i -l ignore -d 'It is no failure if there is no such container'
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s v -l volumes -d 'Remove anonymous volumes too: rcon always does'
complete -c rcon -n "__fish_rcon_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l arch -d 'Architecture of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l authfile -d 'File with credentials; $REGISTRY_AUTH_FILE says the same' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l cert-dir -d 'Directory with certificates for the registry' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l creds -d 'Credentials for the registry' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l os -d 'Operating system of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l platform -d 'Platform of the image: OS/ARCH[/VARIANT]' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l policy -d 'When to ask the registry: always, missing, newer or never' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l retry -d 'How often to try again after a failure' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l retry-delay -d 'Pause between two tries [default: half a second, doubled each time]' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l tls-verify -d 'Verify the registry\'s certificate; with =false plain HTTP will do as well' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -l variant -d 'Variant of the architecture' -r
complete -c rcon -n "__fish_rcon_using_subcommand pull" -s a -l all-tags -d 'Pull every tag of the repository'
complete -c rcon -n "__fish_rcon_using_subcommand pull" -s q -l quiet -d 'Show no progress'
complete -c rcon -n "__fish_rcon_using_subcommand pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand images" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand images" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand images" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand images" -s f -l filter -d 'Only what fits: reference=, id=, label=, label!=, dangling=, before=, since=' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -l format -d 'json, a Go template, or `table` and a template' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -l sort -d 'created, id, repository, size or tag' -r
complete -c rcon -n "__fish_rcon_using_subcommand images" -s a -l all -d 'Show also those that only serve as layers of others (rcon keeps none)'
complete -c rcon -n "__fish_rcon_using_subcommand images" -l digests -d 'Show digests'
complete -c rcon -n "__fish_rcon_using_subcommand images" -l no-trunc -d 'Show ids and digests whole'
complete -c rcon -n "__fish_rcon_using_subcommand images" -s n -l noheading -d 'Show no headings'
complete -c rcon -n "__fish_rcon_using_subcommand images" -s q -l quiet -d 'Show ids only'
complete -c rcon -n "__fish_rcon_using_subcommand images" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -s f -l force -d 'Remove an image given by its id also if it has several names'
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -s i -l ignore -d 'Say nothing of images that are not there'
complete -c rcon -n "__fish_rcon_using_subcommand rmi" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "exists" -d 'Tell by the exit code whether an image is here: 0 or 1'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "inspect" -d 'Describe images'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "ls" -d 'List the images that are here'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "list" -d 'List the images that are here'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "pull" -d 'Pull images from a registry'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "rm" -d 'Remove images'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "remove" -d 'Remove images'
complete -c rcon -n "__fish_rcon_using_subcommand image; and not __fish_seen_subcommand_from exists inspect ls list pull rm remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from exists" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'json or a Go template' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Only what fits: reference=, id=, label=, label!=, dangling=, before=, since=' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'json, a Go template, or `table` and a template' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'created, id, repository, size or tag' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show also those that only serve as layers of others (rcon keeps none)'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Show ids and digests whole'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Show no headings'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Show ids only'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Only what fits: reference=, id=, label=, label!=, dangling=, before=, since=' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'json, a Go template, or `table` and a template' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'created, id, repository, size or tag' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Show also those that only serve as layers of others (rcon keeps none)'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Show ids and digests whole'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Show no headings'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Show ids only'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l arch -d 'Architecture of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l authfile -d 'File with credentials; $REGISTRY_AUTH_FILE says the same' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l cert-dir -d 'Directory with certificates for the registry' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l creds -d 'Credentials for the registry' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l os -d 'Operating system of the image' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'Platform of the image: OS/ARCH[/VARIANT]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l policy -d 'When to ask the registry: always, missing, newer or never' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'How often to try again after a failure' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Pause between two tries [default: half a second, doubled each time]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Verify the registry\'s certificate; with =false plain HTTP will do as well' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -l variant -d 'Variant of the architecture' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -s a -l all-tags -d 'Pull every tag of the repository'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Show no progress'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Remove an image given by its id also if it has several names'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Say nothing of images that are not there'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all images'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -s f -l force -d 'Remove an image given by its id also if it has several names'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Say nothing of images that are not there'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "exists"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "inspect"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "ls"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "pull"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "rm"
complete -c rcon -n "__fish_rcon_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -l rootless-netns -d 'Join the network namespace that bridge networks share'
complete -c rcon -n "__fish_rcon_using_subcommand unshare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l log -d 'Write messages to a file' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l log-format -d 'How messages are written to it' -r -f -a "text\t''
json\t''"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l rootless -d 'Whether the caller is no root: true and false are checked, auto finds out' -r -f -a "auto\t''
true\t''
false\t''"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l debug -d 'Show messages on standard error although they go to a file'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -l systemd-cgroup -d 'Have systemd make control groups; linux.cgroupsPath is slice:prefix:name then'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -s v -l version -d 'Print the versions of the runtime and of the specification'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "create" -d 'Make a container from a bundle; it waits for its start'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "start" -d 'Start a container that was created'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "run" -d 'Make a container from a bundle, start it, and stay until it ends'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "exec" -d 'Run another process in a container'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "state" -d 'Print a container\'s state as JSON'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "kill" -d 'Send a signal to a container'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "delete" -d 'Remove a container that has stopped'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "list" -d 'List the runtime\'s containers'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "ps" -d 'List a container\'s processes'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "pause" -d 'Freeze a container\'s processes'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "resume" -d 'Let a paused container go on'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "update" -d 'Change a container\'s limits'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "events" -d 'Print what a container uses, again and again'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "spec" -d 'Write a config.json to begin with'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "features" -d 'Print what the runtime can do as JSON'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and not __fish_seen_subcommand_from create start run exec state kill delete list ps pause resume update events spec features help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -s b -l bundle -d 'The bundle\'s directory' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l pid-file -d 'Write the number of the container\'s first process to a file' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l console-socket -d 'Send the terminal\'s leader to a unix socket' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l preserve-fds -d 'Keep so many descriptors from 3 on' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l no-pivot -d 'Do not pivot_root: rcon always does, and a bundle in a ramfs works all the same'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -l no-new-keyring -d 'Stay in the caller\'s session keyring'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -s b -l bundle -d 'The bundle\'s directory' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l pid-file -d 'Write the number of the container\'s first process to a file' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l console-socket -d 'Send the terminal\'s leader to a unix socket' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l preserve-fds -d 'Keep so many descriptors from 3 on' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l no-pivot -d 'Do not pivot_root: rcon always does, and a bundle in a ramfs works all the same'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l no-new-keyring -d 'Stay in the caller\'s session keyring'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -s d -l detach -d 'Do not stay'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l keep -d 'Keep the container after its end'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -l no-subreaper -d 'Accepted for runc\'s sake: rcon reaps its own child alone'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s p -l process -d 'Take the process from a JSON file: what config.json has as "process"' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l cwd -d 'Its working directory' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s e -l env -d 'Add to its environment' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s u -l user -d 'Its user' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s g -l additional-gids -d 'Additional groups' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s c -l cap -d 'Add a capability' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l apparmor -d 'AppArmor profile' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l process-label -d 'SELinux label' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l pid-file -d 'Write its number to a file' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l console-socket -d 'Send the terminal\'s leader to a unix socket' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l preserve-fds -d 'Keep so many descriptors from 3 on' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s t -l tty -d 'Give it a terminal'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -l no-new-privs -d 'No program may give it more privileges'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s d -l detach -d 'Do not stay until it ends'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from state" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -s a -l all -d 'To every process of the container, not only the first'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from kill" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -s f -l force -d 'Kill it first, if it has not; it is no failure if there is no such container'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -s f -l format -d 'table or json' -r -f -a "table\t''
json\t''"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print ids alone'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -s f -l format -d 'table or json' -r -f -a "table\t''
json\t''"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -s r -l resources -d 'Take them from a JSON file: what config.json has as linux.resources; - is standard input' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l memory -d 'Memory in bytes' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l memory-reservation -d 'Memory below which nothing is reclaimed first' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l memory-swap -d 'Memory and swap together' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cpu-period -d 'Length of a period of the quota in microseconds' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cpu-quota -d 'Processor time in a period in microseconds' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cpu-share -l cpu-shares -d 'Share of processor time beside others' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cpuset-cpus -d 'Processors it may use' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l cpuset-mems -d 'Memory nodes it may use' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l pids-limit -d 'How many processes it may have' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -l blkio-weight -d 'Share of disk time beside others' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l interval -d 'Seconds between two lines' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -l stats -d 'Once'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from events" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -s b -l bundle -d 'Where config.json is written' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -l rootless -d 'Map your own id to root; what root gets only with this'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from spec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from features" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "create"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "start"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "run"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "exec"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "state"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "kill"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "delete"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "list"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "ps"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "pause"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "resume"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "update"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "events"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "spec"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "features"
complete -c rcon -n "__fish_rcon_using_subcommand runtime; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -f -a "prune" -d 'Remove what killed processes left'
complete -c rcon -n "__fish_rcon_using_subcommand system; and not __fish_seen_subcommand_from prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -s f -l force -d 'Containers that have ended go too'
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "prune"
complete -c rcon -n "__fish_rcon_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c rcon -n "__fish_rcon_using_subcommand info" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand info" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand info" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand info" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand info" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand info" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand info" -s f -l format -d 'json, or a Go template' -r
complete -c rcon -n "__fish_rcon_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -s f -l format -d 'json, or a Go template' -r
complete -c rcon -n "__fish_rcon_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand version" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand version" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand version" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand version" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand version" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand version" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand version" -s f -l format -d 'json, or a Go template' -r
complete -c rcon -n "__fish_rcon_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand completion" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l root -d 'Directory of images and containers [default: $XDG_DATA_HOME/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l runroot -d 'Directory of what does not outlive a reboot [default: $XDG_RUNTIME_DIR/rcon]' -r -F
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l storage-driver -d 'How root file systems are made: overlay, fuse-overlayfs or vfs' -r
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l storage-opt -d 'An option of the storage driver' -r
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l cgroup-manager -d 'Who makes control groups: systemd or cgroupfs [default: systemd where it can be asked]' -r
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -l log-level -d 'The least grave message to show' -r -f -a "debug\t'Everything'
info\t'Notes on what is being done'
warn\t'What is lost or taken otherwise than asked for'
error\t'Failures only'"
complete -c rcon -n "__fish_rcon_using_subcommand generate-docs" -s h -l help -d 'Print help'
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "run"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "ps"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "logs"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "inspect"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "rm"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "pull"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "images"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "rmi"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "image"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "unshare"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "runtime"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "system"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "info"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "doctor"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "version"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "completion"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "generate-docs"
complete -c rcon -n "__fish_rcon_using_subcommand help; and not __fish_seen_subcommand_from run ps logs inspect rm pull images rmi image unshare runtime system info doctor version completion generate-docs help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
