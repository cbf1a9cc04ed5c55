using System.Diagnostics;
using ActorTrainer.Host.Cluster.Local;
using Xunit.Sdk;

namespace ActorTrainer.Tests.Chaos;

/// <summary>A local cluster of shell scripts in a folder of its own, with its events to wait for.</summary>
internal sealed class ClusterProbe : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<string> _heard = [];

    public ClusterProbe(params (string Name, string Script)[] nodes)
    {
        Folder = Directory.CreateTempSubdirectory("actortrainer-cluster-").FullName;
        Cluster = new LocalCluster(
            Folder,
            [.. nodes.Select(node => new NodeSpec(node.Name, "/bin/sh", ["-c", node.Script]))],
            TimeProvider.System,
            new RestartBackoff { First = TimeSpan.FromMilliseconds(10), Most = TimeSpan.FromMilliseconds(20) },
            e => Hear($"{e.Node} {e.Kind}"),
            (node, line) => Hear($"{node} says {line}"));
    }

    public string Folder { get; }

    public LocalCluster Cluster { get; }

    /// <summary>Waits until something was heard this often.</summary>
    public void Await(string what, int times = 1)
    {
        var clock = Stopwatch.StartNew();
        lock (_heard)
        {
            while (_heard.Count(heard => heard == what) < times)
            {
                if (clock.Elapsed > Patience || !Monitor.Wait(_heard, Patience))
                {
                    throw new XunitException($"'{what}' was not heard {times} times. Heard:\n{string.Join('\n', _heard)}");
                }
            }
        }
    }

    public int Count(string what)
    {
        lock (_heard)
        {
            return _heard.Count(heard => heard == what);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private void Hear(string what)
    {
        lock (_heard)
        {
            _heard.Add(what);
            Monitor.PulseAll(_heard);
        }
    }
}
