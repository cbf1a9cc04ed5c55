using System.Collections.Concurrent;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Tests.FineTuneRuns;

/// <summary>A fine-tuning run of a tiny model (4 units) on a folder of its own; may be executed again to go on.</summary>
internal sealed class FineTuneRun : IDisposable
{
    public const int Steps = 6;

    public const ulong BaseSeed = 77;

    public static readonly BertConfig Arch = new()
    {
        Layers = 2,
        Hidden = 16,
        Heads = 2,
        FeedForward = 32,
        Vocabulary = 50,
        Sequence = 16,
        FusedQkv = false,
        Dropout = 0.1,
        InitStd = 0.3,
        Attention = AttentionKind.GaussianKernel,
        Activation = GateActivation.Relu,
    };

    public FineTuneRun()
    {
        Store = new ContentStore(Path.Combine(Folder, "store"));
        Base = Enumerable.Range(0, UnitFactory.Count(Arch)).ToDictionary(i => UnitFactory.Names(Arch)[i], i => StoreUnit(Store, i));
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("finetune-").FullName;

    public ContentStore Store { get; }

    public IReadOnlyDictionary<string, string> Base { get; set; }

    public FineTuneRunObserver Observer { get; } = new();

    public ConcurrentQueue<(long Step, IReadOnlyDictionary<string, string> Objects)> Commits { get; } = new();

    public static RunOptions Options(
        bool lora, int stages = 1, ScheduleKind schedule = ScheduleKind.OneForwardOneBackward, bool serialised = false, bool recompute = false) => new()
        {
            Name = "tiny",
            Folder = "",
            Seed = 5,
            Arch = Arch,
            FineTune = new FineTuneShape
            {
                Task = "mnli",
                Outputs = 3,
                PoolerRank = 4,
                PoolerWidth = 24,
                Lora = lora ? new LoraShape { Rank = 2, Alpha = 4, Dropout = 0.1 } : null,
            },
            Pipeline = new PipelineOptions { Stages = stages, Schedule = schedule, Chunks = schedule == ScheduleKind.Interleaved ? 2 : 1 },
            Impl = new ImplOptions { MicroBatchSize = 2, DigestEvery = 1, TraceSteps = 0, SerializeMessages = serialised, Recompute = recompute, KeepCheckpoints = 1 },
            Train = new FineTuneOptions { Optim = new AdamWOptions { LearningRate = 3e-3, WeightDecay = 0.01 }, Clip = 1, BatchSize = 5, CheckpointEvery = 2, Epochs = Steps * 5 / 12.0 }.Recipe(12),
        };

    public static GlueBatchSource Batches() => new(new RandomRows(GlueTask.Mnli, 12, 1), new RandomRows(GlueTask.Mnli, 7, 2), seed: 5, padding: PaddingKind.Longest);

    public async Task<RunProtocol.Outcome> Execute(RunOptions options, IBatchSource? batches = null, CancellationToken stop = default)
    {
        using var folder = RunFolder.Open(Folder);
        return await new LocalRun
        {
            Options = options,
            Folder = folder,
            Batches = batches ?? Batches(),
            Partition = StagePartition.ByCount(UnitFactory.Count(Arch), options.Pipeline.Stages * options.Pipeline.Chunks),
            TokenizerHash = "none",
            DataKey = "random",
            Export = (manifest, _) => $"step-{manifest.Step}",
            Observer = Observer,
            Base = Base,
            Committed = (step, objects) => Commits.Enqueue((step, objects)),
        }.Execute(stop);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static string StoreUnit(ContentStore store, int index)
    {
        using var unit = UnitFactory.Create(Arch, index, BaseSeed);
        return store.Put(stream => SafeTensors.Write(stream, unit.Parameters.Select(p => (p.Name, p.Value))));
    }
}

/// <summary>Keeps the digests and outputs of a run; may stop it.</summary>
internal sealed class FineTuneRunObserver : IRunObserver
{
    /// <summary>Step → unit → digest of weights and optimiser.</summary>
    public SortedDictionary<long, IReadOnlyList<string>> Digests { get; } = [];

    public List<float[]> Outputs { get; } = [];

    public List<EvaluationMetrics> Evaluations { get; } = [];

    public List<string> Notices { get; } = [];

    public int Attempts { get; private set; }

    public Action<long> AfterStep { get; set; } = _ => { };

    public void OnNotice(string text) => Notices.Add(text);

    public void OnAttempt(int attempt, long fromStep)
    {
        Attempts = attempt;
        foreach (var step in Digests.Keys.Where(step => step > fromStep).ToList())
        {
            Digests.Remove(step);
        }
    }

    public void OnStep(StepMetrics step) => AfterStep(step.Step);

    public void OnEvaluation(EvaluationMetrics evaluation) => Evaluations.Add(evaluation);

    public void OnOutputs(long step, float[] outputs) => Outputs.Add(outputs);

    public void OnSpans(IReadOnlyList<StageSpan> spans)
    {
    }

    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => Digests[step] = [.. layers.Select(layer => $"{layer.Layer} {layer.Weights} {layer.Optimiser}")];

    public void OnCheckpoint(long step, string path)
    {
    }
}

/// <summary>Rows of random length and content.</summary>
internal sealed class RandomRows(GlueTask task, int count, long seed) : IEncodedRows
{
    private readonly int[][] _rows = [.. Enumerable.Range(0, count).Select(row => Row(seed, row))];

    public GlueTaskInfo Task => GlueTasks.Of(task);

    public string Name => "train";

    public string Id(int row) => $"{row}";

    public string Key => $"random {count} {seed}";

    public int Count => count;

    public int Sequence => 16;

    public int PadId => 0;

    public ReadOnlySpan<int> Ids(int row) => _rows[row];

    public int Length(int row) => _rows[row].Length;

    public float Label(int row) => Task.IsRegression ? 0.25f * row : _rows[row].Sum() % Task.Outputs;

    private static int[] Row(long seed, int row)
    {
        var random = CounterRandom.Of(3, RandomPurpose.SampleText, seed, row, 0);
        return [.. Enumerable.Range(0, 3 + (int)(random.NextDouble() * 13)).Select(_ => 1 + (int)(random.NextDouble() * 49))];
    }
}

/// <summary>Throws once, when a step is dealt.</summary>
internal sealed class FailingOnce(IBatchSource source, long step) : IBatchSource
{
    private bool _failed;

    public int TokensPerSequence => source.TokensPerSequence;

    public int TargetsPerSequence => source.TargetsPerSequence;

    public long HeldOutSequences => source.HeldOutSequences;

    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long at)
    {
        if (at == step && !_failed)
        {
            _failed = true;
            throw new IOException("the rows cannot be read just now");
        }

        return source.Take(first, rows, at);
    }

    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) => source.TakeHeldOut(first, rows);

    public double HeldOutBaseline(long sequences) => source.HeldOutBaseline(sequences);
}
