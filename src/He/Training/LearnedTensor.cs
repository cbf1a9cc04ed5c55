namespace ActorTrainer.He.Training;

/// <summary>A matrix, or a vector as its only row, that a unit learns.</summary>
/// <param name="Name">Within its unit.</param>
/// <param name="Rows">Rows; entries lie row by row.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Decay">Whether weights decay.</param>
public sealed record LearnedTensor(string Name, int Rows, int Columns, bool Decay)
{
    public int Count => Rows * Columns;
}
