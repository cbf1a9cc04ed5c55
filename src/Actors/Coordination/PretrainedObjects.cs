using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Pre-trained weights that a run begins with.</summary>
/// <param name="Units">Unit name → hash of its weights.</param>
/// <param name="Store">Where they are.</param>
public sealed record PretrainedObjects(IReadOnlyDictionary<string, string> Units, IObjectStore Store);
