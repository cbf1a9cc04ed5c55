using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>Slots after their Fourier transform, before a scale: what encodings at all levels and scales have in common, in as much memory as one limb.</summary>
/// <param name="words">N doubles.</param>
/// <param name="largest">The largest size of one.</param>
internal sealed class UnscaledCoefficients(Polynomial words, double largest) : IDisposable
{
    public Polynomial Words { get; } = words;

    public double Largest { get; } = largest;

    public void Dispose() => Words.Dispose();
}
