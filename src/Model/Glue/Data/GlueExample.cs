namespace ActorTrainer.Model.Glue;

/// <summary>A row of a task.</summary>
/// <param name="Id">Its index or id in the file, else its number from 0.</param>
/// <param name="First">The sentence, or the first of two.</param>
/// <param name="Second">The second sentence; empty for tasks with one.</param>
/// <param name="Label">Number of the class, or the score; NaN where the split has no labels.</param>
public sealed record GlueExample(string Id, string First, string Second, float Label);

/// <summary>A split of a task as text.</summary>
/// <param name="Task">The task.</param>
/// <param name="Name">Name of the split.</param>
/// <param name="Examples">Its rows.</param>
/// <param name="Source">File or files that it came from.</param>
public sealed record GlueSplit(GlueTaskInfo Task, string Name, IReadOnlyList<GlueExample> Examples, string Source);
