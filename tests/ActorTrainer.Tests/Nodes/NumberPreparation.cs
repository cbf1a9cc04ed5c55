using ActorTrainer.Actors;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Tests.Actors;

namespace ActorTrainer.Tests.Nodes;

/// <summary>Prepares runs on numbers; settings are remembered, not read.</summary>
internal sealed class NumberPreparation : IRunPreparation, IDisposable
{
    private int _held;

    /// <summary>Called when a preparation begins; may throw or block.</summary>
    public Action<string, CancellationToken> OnPrepare { get; set; } = (_, _) => { };

    public RecordingObserver Observer { get; } = new();

    /// <summary>Changes the options of every run.</summary>
    public Func<RunOptions, RunOptions> Change { get; set; } = options => options;

    /// <summary>Resources prepared and not yet freed.</summary>
    public int Held => Volatile.Read(ref _held);

    public List<string> Settings { get; } = [];

    public PreparedRun Prepare(string name, string settings, Action<string> notice, CancellationToken cancellation)
    {
        Settings.Add(settings);
        notice($"preparing {name}");
        OnPrepare(settings, cancellation);
        Interlocked.Increment(ref _held);
        var options = Change(NumberRun.Options()) with { Name = name };
        return new PreparedRun
        {
            Options = options,
            Batches = new NumberSource(),
            Units = [.. Enumerable.Range(0, NumberRun.Units).Select(i => $"unit{i}")],
            UnitSeconds = [.. Enumerable.Repeat(0.001, NumberRun.Units)],
            UnitMemory = [.. Enumerable.Repeat(new UnitMemory(1000, 100), NumberRun.Units)],
            Recipe = $"seed={options.Seed}\nbatch={options.Train.BatchSize}",
            StageRecipe = "",
            Describe = (position, objects) => new CheckpointManifest
            {
                Run = name,
                Step = position.Step,
                Tokens = position.Sequences * 10,
                Sequences = position.Sequences,
                Seconds = position.Seconds,
                Seed = 0,
                Arch = new(),
                TrainHash = "",
                OptimiserStep = position.Step,
                TokenizerHash = "",
                DataKey = "",
                Units = objects,
            },
            Export = (manifest, store) => string.Join(",", manifest.Units.OrderBy(u => u.Key).Select(u => File.ReadAllText(store.Verified(u.Value)))),
            Observer = Observer,
            Resources = this,
        };
    }

    /// <summary>Frees what one preparation holds.</summary>
    public void Dispose() => Interlocked.Decrement(ref _held);
}
