namespace ActorTrainer.Model.Ranges;

/// <summary>How many inputs of a site lay outside of its polynomial's domain.</summary>
/// <param name="Outside">Inputs outside.</param>
/// <param name="Count">All inputs.</param>
/// <param name="Worst">Largest distance from the domain, in widths of the domain.</param>
public readonly record struct OutOfDomain(long Outside, long Count, double Worst)
{
    /// <summary>Both together.</summary>
    public OutOfDomain With(OutOfDomain other) => new(Outside + other.Outside, Count + other.Count, Math.Max(Worst, other.Worst));
}
