namespace ActorTrainer.Model.Stages;

/// <summary>A run of consecutive model units.</summary>
/// <param name="First">Index of the first unit.</param>
/// <param name="Count">Number of units, at least one.</param>
public readonly record struct UnitRange(int First, int Count)
{
    /// <summary>Index after the last unit.</summary>
    public int End => First + Count;

    /// <summary>Whether a unit is among them.</summary>
    public bool Contains(int unit) => unit >= First && unit < End;
}
