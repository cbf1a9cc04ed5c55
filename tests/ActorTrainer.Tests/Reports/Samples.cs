using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Tests.Reports;

/// <summary>Records of a made-up run, and a folder to put its files in.</summary>
internal static class Samples
{
    public static StepMetrics Step(long step, double loss = 5, int attempt = 1, long of = 100, params IReadOnlyList<StageLoad> stages) => new()
    {
        Step = step,
        Loss = loss,
        LearningRate = 1e-3,
        GradientNorm = 0.5,
        Sequences = 8,
        Tokens = 1024,
        TotalTokens = 1024 * step,
        Progress = (double)step / of,
        Seconds = 0.5,
        MicroBatches = 4,
        Attempt = attempt,
        Stages = stages,
    };

    public static EvaluationMetrics Evaluation(long step, double loss) => new(step, loss, 6.9, 0.25, 4096, 1.5);

    public static LayerDigest[] Layers(string headWeights = "cc") => [new("embedding", "aa", "ab", ""), new("layers.0", "ba", "bb", "bc"), new("head", headWeights, "cd", "")];

    public static string Folder() => Directory.CreateTempSubdirectory("actortrainer-reports-").FullName;
}

/// <summary>A clock that stands still until it is told to go on.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public void Advance(double seconds) => Interlocked.Add(ref _now, TimeSpan.FromSeconds(seconds).Ticks);
}
