using System.Net;
using System.Net.Sockets;

namespace ActorTrainer.Tests.Processes;

/// <summary>A cluster of node processes on ports that were free, with its folders inside a program folder.</summary>
internal sealed class LocalNodes : IDisposable
{
    private const int Most = 5;

    private readonly ProgramFolder _folder;
    private readonly string _name;
    private readonly int[] _ports = FreePorts(2 * Most);
    private readonly Dictionary<int, ProgramProcess> _nodes = [];

    public LocalNodes(ProgramFolder folder, string name)
    {
        (_folder, _name) = (folder, name);
        Seeds = $"cluster.seeds=[{string.Join(',', Enumerable.Range(0, Most - 1).Select(i => $"127.0.0.1:{_ports[i]}"))}]";
    }

    /// <summary>The word that names this cluster.</summary>
    public string Seeds { get; }

    /// <summary>Where a process that is no node can listen.</summary>
    public string FreeAddress { get; } = $"127.0.0.1:{FreePorts(1)[0]}";

    /// <summary>Starts a node and waits until it is up; node 0 coordinates.</summary>
    public void Start(int node, params string[] words)
    {
        var process = _folder.Start([
            "node", $"role={(node == 0 ? "coordinator" : "stage")}", $"cluster.node=n{node}", $"cluster.port={_ports[node]}",
            $"cluster.data_port={_ports[Most + node]}", $"cluster.folder={_name}/n{node}", Seeds, .. words]);
        _nodes[node] = process;
        process.WaitForLine(line => line.Contains($"node n{node} is up", StringComparison.Ordinal), "its being up");
    }

    /// <summary><c>kill -9</c>.</summary>
    public void Kill(int node)
    {
        _nodes.Remove(node, out var process);
        using (process)
        {
            process!.Kill();
        }
    }

    /// <summary>Asks a node to leave and waits for its end.</summary>
    public void Leave(int node)
    {
        _nodes.Remove(node, out var process);
        using (process)
        {
            process!.Interrupt();
            process.ShouldEndWith(0).ShouldSay("leaves the cluster");
        }
    }

    public void Dispose()
    {
        foreach (var process in _nodes.Values)
        {
            process.Dispose();
        }
    }

    /// <summary>Ports nobody listens on now.</summary>
    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }
}
