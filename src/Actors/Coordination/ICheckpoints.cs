namespace ActorTrainer.Actors.Coordination;

/// <summary>Durable checkpoints of a run. Members may take long and are called off the dispatcher.</summary>
public interface ICheckpoints
{
    /// <summary>Makes a checkpoint of objects already stored; returns the hash of its manifest.</summary>
    string Commit(RunPosition position, IReadOnlyDictionary<string, string> objects);

    /// <summary>Objects of a committed checkpoint: unit name → hash.</summary>
    IReadOnlyDictionary<string, string> Objects(string manifest);

    /// <summary>Writes the model folder of a committed checkpoint and returns its path.</summary>
    string Export(string manifest, long step);

    /// <summary>Frees checkpoints other than the newest ones; <paramref name="manifest"/> is the newest.</summary>
    void Collect(string manifest);
}
