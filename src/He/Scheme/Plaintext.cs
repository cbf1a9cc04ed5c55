using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>An encoded message: a polynomial in transformed form at a level, times a scale. Native memory until disposed.</summary>
public sealed class Plaintext(Polynomial polynomial, int level, Scale scale) : IDisposable
{
    public int Level { get; } = level;

    public Scale Scale { get; } = scale;

    internal Polynomial Polynomial { get; } = polynomial;

    public void Dispose() => Polynomial.Dispose();

    public override string ToString() => $"plaintext at level {Level}, scale {Scale}";
}
