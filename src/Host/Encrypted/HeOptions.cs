using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Parameters;

namespace ActorTrainer.Host.Encrypted;

/// <summary>Encrypted fine-tuning; key group <c>he</c>.</summary>
public sealed record HeOptions
{
    /// <summary>Name of a parameter set: see <see cref="ParameterSets.All"/>.</summary>
    public string Set { get; init; } = ParameterSets.L15.Name;

    public RefreshKind Refresh { get; init; } = RefreshKind.Owner;

    /// <summary>What is bootstrapped twice, for precision.</summary>
    public SecondIteration Twice { get; init; } = SecondIteration.None;

    /// <summary>Tokens of a packed row, a power of two; 0: the model's sequence, rounded up to one. Longer rows are left out.</summary>
    public int Tokens { get; init; }

    /// <summary>Rows of a micro-batch, a power of two; 0: as many as let an activation fit one ciphertext, at least one.</summary>
    public int Batch { get; init; }

    /// <summary>Folder of the owner's keys; empty: <c>keys</c> in the run's folder.</summary>
    public string Keys { get; init; } = "";

    /// <summary>Folder of encrypted data; empty: <c>encrypted</c> in the run's folder.</summary>
    public string Data { get; init; } = "";

    /// <summary>MiB that a stage may use for encoded diagonals of its weights.</summary>
    public int Cache { get; init; } = 1024;

    /// <summary>MiB that a stage may use for evaluation keys; 0: as much as they take. Beyond it, halves of keys are made from their seeds whenever they are used.</summary>
    public int KeyMemory { get; init; }

    /// <summary>Threads of one operation; 0: one for each core.</summary>
    public int Threads { get; init; }

    /// <summary>Where the owner listens for refreshes, host:port; empty: in this process.</summary>
    public string Owner { get; init; } = "";

    /// <summary>host:port of each helper, who bootstraps for the stages of a cluster.</summary>
    public IReadOnlyList<string> Helpers { get; init; } = [];

    /// <summary>Accept parameter sets that are for tests.</summary>
    public bool AllowInsecure { get; init; }

    /// <summary>The parameters of the set.</summary>
    /// <exception cref="InvalidOperationException">There is no set of that name, which the configuration would have refused.</exception>
    public CkksParameters Parameters() => new(ParameterSets.All.FirstOrDefault(set => set.Name == Set) ?? throw new InvalidOperationException($"There is no parameter set {Set}."));

    /// <summary>Bytes of <see cref="KeyMemory"/>; null: as much as keys take.</summary>
    public long? KeyBytes() => KeyMemory > 0 ? (long)KeyMemory << 20 : null;

    /// <summary>Threads of one operation on this machine.</summary>
    public int ThreadCount() => Threads > 0 ? Threads : Environment.ProcessorCount;
}
