using System.Globalization;
using System.Text.RegularExpressions;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>
/// The <c>ip</c> commands that make, cut, heal and remove a small network: one namespace a node, all on one bridge, this process at .254 of
/// it. Every name carries the process id, so that what a dead process left can be told.
/// </summary>
/// <param name="Process">Id of this process.</param>
/// <param name="Prefix">First three numbers of the network, <c>10.201.7</c>.</param>
/// <param name="Count">Nodes, up to 200.</param>
internal sealed partial record NamespacePlan(int Process, string Prefix, int Count)
{
    /// <summary>A hardware address that nobody has: what is sent there is lost without a word.</summary>
    private const string Nobody = "02:00:00:00:00:99";

    /// <summary>Address of this process.</summary>
    public string Own => $"{Prefix}.254";

    private string Bridge => $"at-{Process}b";

    /// <summary>A network that no interface of this machine is in.</summary>
    /// <param name="process">Id of this process.</param>
    /// <param name="taken">Addresses of this machine.</param>
    public static string FreePrefix(int process, IReadOnlyCollection<string> taken) => Enumerable.Range(0, 250)
        .Select(i => $"10.{200 + (process / 250 % 50)}.{(process + i) % 250}")
        .First(prefix => !taken.Any(address => address.StartsWith(prefix + ".", StringComparison.Ordinal)));

    /// <summary>Address of a node.</summary>
    public string Address(int node) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}.{node + 1}");

    /// <summary>Words to put before the command line of a node.</summary>
    public IReadOnlyList<string> Inside(int node) => ["ip", "netns", "exec", Namespace(node)];

    /// <summary>Makes the network.</summary>
    public IEnumerable<string> Create() =>
    [
        $"link add {Bridge} type bridge",
        $"addr add {Own}/24 dev {Bridge}",
        $"link set {Bridge} up",
        .. Nodes(node =>
        [
            $"netns add {Namespace(node)}",
            $"link add {Cable(node)} type veth peer name eth0 netns {Namespace(node)}",
            $"link set {Cable(node)} master {Bridge} up",
            $"-n {Namespace(node)} addr add {Address(node)}/24 dev eth0",
            $"-n {Namespace(node)} link set eth0 up",
            $"-n {Namespace(node)} link set lo up",
        ]),
    ];

    /// <summary>Removes it; each command may fail for what is not there.</summary>
    public IEnumerable<string> Remove() =>
    [
        .. Nodes(node => [$"link del {Cable(node)}", $"netns del {Namespace(node)}"]),
        $"link del {Bridge}",
    ];

    /// <summary>Makes two nodes send to nobody what they send to each other.</summary>
    public IEnumerable<string> Cut(int a, int b) =>
    [
        $"-n {Namespace(a)} neigh replace {Address(b)} lladdr {Nobody} nud permanent dev eth0",
        $"-n {Namespace(b)} neigh replace {Address(a)} lladdr {Nobody} nud permanent dev eth0",
    ];

    /// <summary>Undoes <see cref="Cut"/>: the nodes ask for each other's address anew.</summary>
    public IEnumerable<string> Heal(int a, int b) =>
    [
        $"-n {Namespace(a)} neigh del {Address(b)} dev eth0",
        $"-n {Namespace(b)} neigh del {Address(a)} dev eth0",
    ];

    /// <summary>Removes what processes left that are gone.</summary>
    /// <param name="namespaces">Output of <c>ip netns list</c>.</param>
    /// <param name="links">Output of <c>ip -o link</c>.</param>
    /// <param name="isAlive">Whether a process runs.</param>
    public static IEnumerable<string> RemoveLeftovers(string namespaces, string links, Func<int, bool> isAlive)
    {
        IEnumerable<string> Dead(MatchCollection matches) => matches
            .Where(match => !isAlive(int.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture)))
            .Select(match => match.Groups["name"].Value)
            .Distinct();
        return [.. Dead(LinkName().Matches(links)).Select(name => $"link del {name}"), .. Dead(NamespaceName().Matches(namespaces)).Select(name => $"netns del {name}")];
    }

    private string Namespace(int node) => string.Create(CultureInfo.InvariantCulture, $"at-{Process}-{node}");

    private string Cable(int node) => string.Create(CultureInfo.InvariantCulture, $"at-{Process}v{node}");

    private IEnumerable<string> Nodes(Func<int, IEnumerable<string>> commands) => Enumerable.Range(0, Count).SelectMany(commands);

    [GeneratedRegex(@"^(?<name>at-(?<pid>\d{1,9})-\d+)\b", RegexOptions.Multiline)]
    private static partial Regex NamespaceName();

    [GeneratedRegex(@"^\d+: (?<name>at-(?<pid>\d{1,9})(b|v\d+))(@|:)", RegexOptions.Multiline)]
    private static partial Regex LinkName();
}
