namespace ActorTrainer.Actors.Coordination;

/// <summary>Durable checkpoints of a run. Writing and reading of units may take long and happens off the dispatcher.</summary>
public interface ICheckpoints
{
    /// <summary>Tells the run's id, before anything else is called; perhaps several times, on the dispatcher.</summary>
    void Begin(string run)
    {
    }

    /// <summary>Makes a checkpoint of objects already stored; returns the hash of its manifest.</summary>
    string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects);

    /// <summary>Objects of a committed checkpoint whose journal does not name them: unit name → hash.</summary>
    IReadOnlyDictionary<string, string> Objects(string manifest);

    /// <summary>Writes the model folder of a committed checkpoint and returns its path.</summary>
    string Export(RunPosition position, IReadOnlyDictionary<string, string> objects);

    /// <summary>Frees checkpoints other than the newest ones.</summary>
    /// <param name="manifest">Manifest of the newest.</param>
    /// <param name="objects">Its objects.</param>
    /// <returns>Hashes of all that was kept.</returns>
    IReadOnlyList<string> Collect(string manifest, IReadOnlyDictionary<string, string> objects);
}
