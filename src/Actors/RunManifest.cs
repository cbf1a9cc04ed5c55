using ActorTrainer.Actors.Coordination;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors;

/// <summary>The manifest of a run's checkpoint.</summary>
public static class RunManifest
{
    /// <summary>Makes it from a position and the objects stored there.</summary>
    /// <param name="options">The run.</param>
    /// <param name="tokensPerSequence">Tokens of a block.</param>
    /// <param name="tokenizerHash">Hash of the tokenizer.</param>
    /// <param name="dataKey">Key of the prepared data.</param>
    /// <param name="position">How far the run is.</param>
    /// <param name="objects">Unit name → hash of its state.</param>
    public static CheckpointManifest Of(
        RunOptions options, int tokensPerSequence, string tokenizerHash, string dataKey, RunPosition position, IReadOnlyDictionary<string, string> objects) => new()
        {
            Run = options.Name,
            Step = position.Step,
            Tokens = position.Sequences * tokensPerSequence,
            Sequences = position.Sequences,
            Seconds = position.Seconds,
            Seed = options.Seed,
            Arch = options.Arch,
            TrainHash = CheckpointManifest.HashOf(options.Train),
            OptimiserStep = position.Step - position.Skipped,
            TokenizerHash = tokenizerHash,
            DataKey = dataKey,
            Units = objects,
        };
}
