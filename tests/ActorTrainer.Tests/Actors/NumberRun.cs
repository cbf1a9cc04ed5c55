using System.Collections.Concurrent;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;

namespace ActorTrainer.Tests.Actors;

/// <summary>A whole run on number stages: coordinator, dealer, stage actors and data plane are the real ones.</summary>
internal static class NumberRun
{
    public const int Units = 8;

    public static RunOptions Options(int stages = 2, ScheduleKind schedule = ScheduleKind.OneForwardOneBackward, int chunks = 1, int steps = 12) => new()
    {
        Name = "numbers",
        Folder = "",
        Pipeline = new PipelineOptions { Stages = stages, Schedule = schedule, Chunks = chunks },
        Impl = new ImplOptions { MicroBatchSize = 2, DigestEvery = 1, StallTimeout = 30, TraceSteps = 1, SerializeMessages = true },
        Train = new TrainOptions
        {
            Budget = steps,
            BatchSize = 7,
            BatchRamp = 0.5,
            CheckpointEvery = 4,
            EvaluateEvery = 6,
            EvaluateBlocks = 5,
            Optim = new AdamWOptions { LearningRate = 0.05 },
        },
    };

    public static RunServices Services(
        RunOptions options, NumberWorld world, IRunObserver observer, ICheckpoints? checkpoints = null, Func<IDataPlane, IDataPlane>? wrap = null)
    {
        var clock = new RunClock(TimeProvider.System);
        IDataPlane plane = new LocalDataPlane(new NumberPayloadReader());
        plane = wrap?.Invoke(plane) ?? plane;
        var parts = options.Pipeline.Stages * options.Pipeline.Chunks;
        var settings = new StageSettings(plane, SharedObjects.Instance, clock);
        Func<int, Props> stageProps = stage => Props.Create(() => new StageActor(settings, new NumberStage(world), $"stage-{stage}"));
        IReadOnlyList<int> partSizes = [.. Enumerable.Range(0, parts).Select(i => Units / parts + (i < Units % parts ? 1 : 0))];
        return new RunServices
        {
            Options = options,
            Units = [.. Enumerable.Range(0, Units).Select(i => $"unit{i}")],
            Recipe = $"seed={options.Seed}\nbatch={options.Train.BatchSize}",
            StageRecipe = "",
            Plane = plane,
            Crew = Props.Create(() => new LocalCrew(stageProps, partSizes, options.Pipeline.Stages)),
            Batches = new NumberSource(),
            Checkpoints = checkpoints ?? new NumberCheckpoints(),
            Observer = observer,
            Clock = clock,
        };
    }
}

/// <summary>Inputs and targets as functions of the sequence number.</summary>
internal sealed class NumberSource : IBatchSource
{
    public int TokensPerSequence => 10;

    public int TargetsPerSequence => 1;

    public long HeldOutSequences => 5;

    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step)
    {
        var random = CounterRandom.Of(1, RandomPurpose.SampleText, first, rows, step);
        var input = 0.5 + random.NextDouble();
        return (new NumberPayload(input), new NumberPayload(2 * input + 0.1 * random.NextDouble()));
    }

    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) => (new NumberPayload(first + 1), new NumberPayload(2 * first + 2));

    public double HeldOutBaseline(long sequences) => 3;
}

/// <summary>Checkpoints in memory.</summary>
internal sealed class NumberCheckpoints : ICheckpoints
{
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> _manifests = new();

    public ConcurrentQueue<long> Exported { get; } = new();

    public Action<RunPosition> OnCommit { get; set; } = _ => { };

    public Action<string> OnCollect { get; set; } = _ => { };

    public string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects)
    {
        OnCommit(position);
        _manifests[$"manifest{position.Step}"] = objects;
        return $"manifest{position.Step}";
    }

    public IReadOnlyDictionary<string, string> Objects(string manifest) => _manifests[manifest];

    public string Export(RunPosition position, IReadOnlyDictionary<string, string> objects)
    {
        Exported.Enqueue(position.Step);
        return $"export{position.Step}";
    }

    public IReadOnlyList<string> Collect(string manifest, IReadOnlyDictionary<string, string> objects)
    {
        OnCollect(manifest);
        return [.. objects.Values];
    }
}

/// <summary>Remembers everything that was observed.</summary>
internal sealed class RecordingObserver : IRunObserver
{
    public ConcurrentQueue<string> Notices { get; } = new();

    public ConcurrentQueue<(int Attempt, long From)> Attempts { get; } = new();

    public ConcurrentQueue<StepMetrics> Steps { get; } = new();

    public ConcurrentQueue<EvaluationMetrics> Evaluations { get; } = new();

    public ConcurrentDictionary<long, IReadOnlyList<LayerDigest>> Digests { get; } = new();

    public ConcurrentQueue<StageSpan> Spans { get; } = new();

    public void OnNotice(string text) => Notices.Enqueue(text);

    public void OnAttempt(int attempt, long fromStep) => Attempts.Enqueue((attempt, fromStep));

    public void OnStep(StepMetrics step) => Steps.Enqueue(step);

    public void OnEvaluation(EvaluationMetrics evaluation) => Evaluations.Enqueue(evaluation);

    public void OnSpans(IReadOnlyList<StageSpan> spans)
    {
        foreach (var span in spans)
        {
            Spans.Enqueue(span);
        }
    }

    public void OnDigest(long step, IReadOnlyList<LayerDigest> layers) => Digests[step] = layers;

    public void OnCheckpoint(long step, string path)
    {
    }
}
