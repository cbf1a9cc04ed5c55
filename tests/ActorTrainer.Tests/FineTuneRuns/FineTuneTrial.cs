using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Bench;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Stages;
using ActorTrainer.Tests.Bert;

namespace ActorTrainer.Tests.FineTuneRuns;

/// <summary>A short fine-tuning run of a small base in a temporary folder, with dropout on.</summary>
internal sealed record FineTuneTrial
{
    public const int Steps = 12;
    private const int Rows = 37;

    public static readonly BertConfig Arch = new()
    {
        Layers = 2,
        Hidden = 32,
        Heads = 4,
        FeedForward = 64,
        Vocabulary = 97,
        Sequence = 16,
        Attention = AttentionKind.GaussianKernel,
        Activation = GateActivation.Relu,
        FusedQkv = false,
        InitStd = 0.1,
    };

    public bool Lora { get; init; }

    public IReadOnlyList<int> Cut { get; init; } = [4];

    public ScheduleKind Schedule { get; init; } = ScheduleKind.OneForwardOneBackward;

    public bool Serialize { get; init; }

    public PaddingKind Padding { get; init; } = PaddingKind.Longest;

    public FineTuneOptions Options => new()
    {
        Method = Lora ? FineTuneMethod.Lora : FineTuneMethod.Full,
        LoraAlpha = 2,
        LoraDropout = 0.1,
        PoolerRank = 4,
        PoolerWidth = 16,
        BatchSize = 10,
        Epochs = (double)Steps * 10 / Rows,
        Optim = new AdamWOptions { LearningRate = 1e-2, Beta2 = 0.999, Eps = 1e-6, EpsInsideRoot = Lora },
        CheckpointEvery = 5,
        Padding = Padding,
    };

    public FineTuneShape Shape => Options.Shape("sst2", 2);

    public static MadeRows Train { get; } = new(Rows, Arch.Sequence, Arch.Vocabulary, seed: 3);

    /// <summary>Writes a base model with random weights and returns it.</summary>
    public static ModelSource Base(string folder)
    {
        var path = Path.Combine(folder, "base");
        Directory.CreateDirectory(path);
        using var model = new BertForMlm(Arch, seed: 11);
        StateDict.SaveModel(path, Arch, model.Parameters);
        return CheckpointChoice.Find(folder, path, null, _ => null);
    }

    /// <summary>Runs to the end, or to a stop after <paramref name="stopAfter"/> steps, in a folder that may hold an earlier attempt.</summary>
    public async Task<RunProtocol.Outcome> Execute(string path, ModelSource source, RunProbe probe, int stopAfter = 0, Action<long, IReadOnlyDictionary<string, string>>? committed = null)
    {
        using var folder = RunFolder.Open(path);
        var store = new ContentStore(folder.Store);
        using var stop = new CancellationTokenSource();
        var step = probe.Step;
        return await new LocalRun
        {
            Options = new RunOptions
            {
                Name = "trial",
                Folder = path,
                Seed = 5,
                Arch = source.Arch with { Dropout = 0.1 },
                FineTune = Shape,
                Train = Options.Recipe(Rows),
                Pipeline = new PipelineOptions { Stages = Cut.Count, Schedule = Schedule },
                Impl = new ImplOptions { Device = DeviceKind.Cpu, MicroBatchSize = 4, Threads = 1, DigestEvery = 1, TraceSteps = 0, SerializeMessages = Serialize },
            },
            Folder = folder,
            Batches = new GlueBatchSource(Train, null, seed: 5, padding: Padding),
            Partition = StagePartition.FromCut(Cut, UnitFactory.Count(Arch)),
            TokenizerHash = "none",
            DataKey = "made",
            Base = BaseModel.WriteUnits(source, store),
            Committed = committed,
            Export = (manifest, objects) => CheckpointFolder.Write(path, manifest.Step, target => FineTunedModel.Write(
                target, manifest.Arch, Shape, StateFiles(manifest, objects, unit => unit), StateFiles(manifest, objects, BaseObjects.Key), AdapterSaving.Separate)),
            Observer = new RunProbe
            {
                Step = metrics =>
                {
                    step?.Invoke(metrics);
                    if (metrics.Step == stopAfter)
                    {
                        stop.Cancel();
                    }
                },
                Digest = probe.Digest,
            },
        }.Execute(stop.Token);
    }

    /// <summary>Digests after every step of an undisturbed run.</summary>
    public async Task<List<string>> Digests()
    {
        using var folder = new TemporaryFolder();
        var digests = new List<string>();
        var outcome = await Execute(Path.Combine(folder.Path, "run"), Base(folder.Path), Collect(digests));
        Xunit.Assert.Equal(OutcomeKind.Completed, outcome.Kind);
        Xunit.Assert.Equal(Steps, digests.Count);
        return digests;
    }

    /// <summary>A probe that keeps the digests of every step as one line.</summary>
    public static RunProbe Collect(List<string> digests) => new()
    {
        Digest = (step, layers) => digests.Add($"{step} " + string.Join(' ', layers.Select(layer => $"{layer.Layer} {layer.Weights} {layer.Optimiser} {layer.Rng}"))),
    };

    private static Dictionary<string, string> StateFiles(CheckpointManifest manifest, ContentStore objects, Func<string, string> name) =>
        UnitFactory.Names(manifest.Arch).ToDictionary(unit => unit, unit => objects.Verified(manifest.Units[name(unit)]));
}
