using ActorTrainer.Host.Chaos;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public sealed class FaultInjectorTests : IDisposable, IFaultTarget
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-injector-");
    private readonly List<string> _done = [];
    private int _absent;

    public IReadOnlyList<string> Nodes => ["n0", "n1", "n2"];

    public bool CanCut { get; set; } = true;

    [Theory]
    [InlineData(FaultKind.KillStage, "kill n1, struck")]
    [InlineData(FaultKind.KillTwo, "kill n1, struck, kill n2, struck")]
    [InlineData(FaultKind.Pause, "pause n1, struck, resume n1")]
    [InlineData(FaultKind.CutLink, "cut n1 n2, struck, heal n1 n2")]
    [InlineData(FaultKind.Partition, "cut n1 n0, cut n1 n2, struck, heal n1 n0, heal n1 n2")]
    [InlineData(FaultKind.Hold, "hold n1, struck, release n1")]
    [InlineData(FaultKind.Slow, "struck, slow n1 0.3")]
    internal async Task A_fault_is_done_and_what_lasts_is_undone(FaultKind kind, string expected)
    {
        Assert.Equal("", await Inject(kind));

        Assert.Equal(expected, string.Join(", ", _done));
    }

    [Theory]
    [InlineData(FaultKind.CutLink)]
    [InlineData(FaultKind.Partition)]
    internal async Task Where_links_cannot_be_cut_a_node_is_paused_and_the_table_says_so(FaultKind kind)
    {
        CanCut = false;

        Assert.Equal("n1 paused instead", await Inject(kind));

        Assert.Equal(["pause n1", "struck", "resume n1"], _done);
    }

    [Fact]
    public async Task A_node_that_is_being_started_is_killed_once_it_runs()
    {
        _absent = 2;

        Assert.Equal("", await Inject(FaultKind.KillStage));

        Assert.Equal(["kill n1", "struck"], _done);
    }

    [Fact]
    public async Task What_lasts_is_undone_also_when_it_is_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var fault = new Fault(1, FaultKind.Partition, 1, ["n1"], TimeSpan.FromHours(1));

        var injecting = new FaultInjector(this, TimeProvider.System).Inject(fault, cancel.Cancel, cancel.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => injecting);
        Assert.Equal(["cut n1 n0", "cut n1 n2", "heal n1 n0", "heal n1 n2"], _done);
    }

    [Fact]
    public async Task A_node_is_killed_at_the_moment_it_writes_a_unit_state()
    {
        var objects = _folder.CreateSubdirectory("n1").CreateSubdirectory("run").CreateSubdirectory("objects").FullName;
        var injecting = Inject(FaultKind.KillDuringCheckpoint);

        for (var i = 0; !injecting.IsCompleted; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(objects, $"{i}.tmp"), "half");
            await Task.WhenAny(injecting, Task.Delay(20));
        }

        Assert.Equal("", await injecting);
        Assert.Equal(["kill n1", "struck"], _done);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    string IFaultTarget.FolderOf(string node) => Path.Combine(_folder.FullName, node);

    bool IFaultTarget.Kill(string node) => _absent-- <= 0 && Note($"kill {node}");

    bool IFaultTarget.Pause(string node) => Note($"pause {node}");

    bool IFaultTarget.Resume(string node) => Note($"resume {node}");

    void IFaultTarget.Hold(string node) => Note($"hold {node}");

    void IFaultTarget.Release(string node) => Note($"release {node}");

    void IFaultTarget.Cut(string a, string b) => Note($"cut {a} {b}");

    void IFaultTarget.Heal(string a, string b) => Note($"heal {a} {b}");

    Task IFaultTarget.Slow(string node, double share, TimeSpan duration, CancellationToken cancellation)
    {
        Note(FormattableString.Invariant($"slow {node} {share}"));
        return Task.CompletedTask;
    }

    private Task<string> Inject(FaultKind kind)
    {
        IReadOnlyList<string> nodes = kind is FaultKind.KillTwo or FaultKind.CutLink ? ["n1", "n2"] : ["n1"];
        return new FaultInjector(this, TimeProvider.System).Inject(new Fault(1, kind, 1, nodes, TimeSpan.FromMilliseconds(1)), () => Note("struck"), CancellationToken.None);
    }

    private bool Note(string what)
    {
        _done.Add(what);
        return true;
    }
}
