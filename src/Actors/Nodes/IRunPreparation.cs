using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Makes a run from the settings that a client submitted: data, tokenizer, costs. The host knows how.</summary>
public interface IRunPreparation
{
    /// <summary>Prepares a run on the coordinator's node; may take minutes.</summary>
    /// <param name="name">Name of the run.</param>
    /// <param name="settings">All settings, one <c>key=value</c> a line.</param>
    /// <param name="notice">Told what is being done.</param>
    /// <param name="cancellation">The coordinator moves away, or somebody stops the run.</param>
    /// <exception cref="RefusedException">The settings, or the data they name, cannot be used.</exception>
    PreparedRun Prepare(string name, string settings, Action<string> notice, CancellationToken cancellation);
}

/// <summary>A run ready to begin on a cluster; owns its data files until disposed.</summary>
public sealed record PreparedRun : IDisposable
{
    public required RunOptions Options { get; init; }

    public required IBatchSource Batches { get; init; }

    /// <summary>Names of all units, in order.</summary>
    public required IReadOnlyList<string> Units { get; init; }

    /// <summary>Seconds of a forward and backward of a micro-batch through each unit, measured on the coordinator's node.</summary>
    public required IReadOnlyList<double> UnitSeconds { get; init; }

    /// <summary>What each unit needs in memory.</summary>
    public required IReadOnlyList<UnitMemory> UnitMemory { get; init; }

    /// <summary>Bytes that every stage needs whatever its units: keys and caches of encrypted runs.</summary>
    public long StageMemory { get; init; }

    /// <summary>Settings that decide the result; see <see cref="RunRecipe"/>.</summary>
    public required string Recipe { get; init; }

    /// <summary>Settings for the stages' computation.</summary>
    public required string StageRecipe { get; init; }

    /// <summary>Makes the manifest of a position and its objects.</summary>
    public required Func<RunPosition, IReadOnlyDictionary<string, string>, CheckpointManifest> Describe { get; init; }

    /// <summary>Writes the model folder of a checkpoint whose objects the store holds, and returns its path.</summary>
    public required Func<CheckpointManifest, IObjectStore, string> Export { get; init; }

    /// <summary>The pre-trained weights that units begin with; null: they begin with initial weights.</summary>
    public PretrainedObjects? Base { get; init; }

    /// <summary>Whether the head's decoder is the embedding's table.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>
    /// Makes what is told of every checkpoint (see <see cref="RunServices.Committed"/>) from the objects of the run, wherever they lie, and
    /// whom to tell what comes of it; null: nobody is told.
    /// </summary>
    public Func<IObjectStore, IRunObserver, Action<long, IReadOnlyDictionary<string, string>>>? OnCommit { get; init; }

    /// <summary>Writes metrics and digests into the run's folder on this node.</summary>
    public required IRunObserver Observer { get; init; }

    /// <summary>What is freed at the end: run folder, data files, observers.</summary>
    public required IDisposable Resources { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Resources.Dispose();
}

/// <summary>Memory of one unit on a stage, in bytes.</summary>
/// <param name="Fixed">Weights, gradients and optimiser state.</param>
/// <param name="Activation">Kept between forward and backward for each micro-batch in flight.</param>
public readonly record struct UnitMemory(long Fixed, long Activation);
