namespace ActorTrainer.Actors.Objects;

/// <summary>
/// Unit states between nodes, as a stage uses it: what its computation needs is brought here first, what it has saved is copied to other
/// nodes. Members block and are called on the stage's own thread.
/// </summary>
public interface IObjectExchange
{
    /// <summary>An attempt begins.</summary>
    /// <param name="sources">Hash of an object → data-plane addresses of nodes that hold it.</param>
    /// <param name="replicas">Data-plane addresses of the nodes that must hold copies of what this stage saves.</param>
    void Begin(IReadOnlyDictionary<string, IReadOnlyList<string>> sources, IReadOnlyList<string> replicas);

    /// <summary>What is stored from now on belongs to the checkpoint of this step.</summary>
    void BeginSave(long step);

    /// <summary>Makes sure that every replica holds these objects; returns when all do.</summary>
    /// <exception cref="IOException">A replica could not be reached, or refused.</exception>
    void Secure(IEnumerable<string> hashes);
}

/// <summary>All stages share one store: nothing is brought, nothing copied.</summary>
public sealed class SharedObjects : IObjectExchange
{
    public static readonly SharedObjects Instance = new();

    /// <inheritdoc/>
    public void Begin(IReadOnlyDictionary<string, IReadOnlyList<string>> sources, IReadOnlyList<string> replicas)
    {
    }

    /// <inheritdoc/>
    public void BeginSave(long step)
    {
    }

    /// <inheritdoc/>
    public void Secure(IEnumerable<string> hashes)
    {
    }
}
