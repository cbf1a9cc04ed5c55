using Xunit;

namespace ActorTrainer.Tests.Processes;

/// <summary>
/// A working folder in which tests start the program: small runs that share their prepared data, and one undisturbed run of
/// them that the others are compared with.
/// </summary>
public sealed class ProgramFolder : IDisposable
{
    /// <summary>Steps of a small run.</summary>
    public const int Steps = 50;

    private const int MostKills = 5;

    private static readonly string[] Small =
    [
        "arch=tiny", "train=dev", "data=sample", "impl=dev", "pipeline=two", "data.sample_megabytes=1", "data.cache=cache", "base_dir=runs",
        $"train.budget.amount={Steps}", "train.checkpoint_every=10", "train.evaluate_every=25",
        "train.batch_size=64", // steps long enough for a kill to arrive before the run is over
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actortrainer-processes-");
    private readonly Lazy<string> _undisturbed;

    public ProgramFolder() => _undisturbed = new Lazy<string>(() =>
    {
        using var run = Pretrain("undisturbed");
        run.ShouldEndWith(0);
        return "undisturbed";
    });

    /// <summary>Name of a complete small run of two stages that nothing disturbed.</summary>
    public string Undisturbed => _undisturbed.Value;

    /// <summary>A file or folder of a run.</summary>
    public string PathOf(string run, params string[] parts) => Path.Combine([_folder.FullName, "runs", run, .. parts]);

    /// <summary>All files below a folder inside this one.</summary>
    public string[] Files(string path) => Directory.GetFiles(Path.Combine(_folder.FullName, path), "*", SearchOption.AllDirectories);

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Starts a command as it is.</summary>
    internal ProgramProcess Start(params string[] words) => ProgramProcess.Start(_folder.FullName, words);

    /// <summary>Starts a command of a small run; words here replace those of the same key.</summary>
    internal ProgramProcess StartSmall(string command, string name, params string[] words)
    {
        var given = words.Select(KeyOf).ToHashSet();
        return Start([command, $"name={name}", .. Small.Where(word => !given.Contains(KeyOf(word))), .. words]);
    }

    /// <summary>Starts, or goes on with, a small run.</summary>
    internal ProgramProcess Pretrain(string name, params string[] words) => StartSmall("pretrain", name, words);

    /// <summary>Starts, or goes on with, a small run and kills it once it has reported a step; does so again from the start if the run was over before the kill came.</summary>
    internal void PretrainAndKill(string name, long step, params string[] words)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var run = Pretrain(name, words);
            run.WaitForStep(step);
            if (run.TryKill())
            {
                return;
            }

            Assert.True(attempt < MostKills, $"run {name} was over before {MostKills} kills after step {step} came:\n{run.Output}");
            Directory.Delete(PathOf(name), recursive: true);
        }
    }

    /// <summary>Fails unless all steps of a run have the bits of the undisturbed run.</summary>
    internal void ShouldAgree(string name) => ShouldAgreeFolder(PathOf(name));

    /// <summary>The same for a run in any folder inside this one.</summary>
    internal void ShouldAgreeFolder(string path)
    {
        using var comparison = Start("compare-runs", PathOf(Undisturbed), Path.Combine(_folder.FullName, path));
        comparison.ShouldEndWith(0).ShouldSay($"agree bit for bit: {Steps} steps (1 … {Steps}), 4 layers");
        Assert.DoesNotContain("not compared", comparison.Output);
    }

    private static string KeyOf(string word) => word.Split('=')[0];
}

/// <summary>Tests that start processes run one after another, in one folder.</summary>
[CollectionDefinition(Name)]
public sealed class ProcessesCollection : ICollectionFixture<ProgramFolder>
{
    public const string Name = "processes";
}
