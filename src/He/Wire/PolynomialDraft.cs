using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Wire;

/// <summary>Polynomials of an object that is being read: freed at once when it is refused, the object's own when it is kept.</summary>
internal sealed class PolynomialDraft(RingContext ring) : IDisposable
{
    private readonly List<Polynomial> _made = [];

    public Polynomial New(int chainLimbs, bool special = false)
    {
        var polynomial = ring.NewPolynomial(chainLimbs, special);
        _made.Add(polynomial);
        return polynomial;
    }

    public void Keep() => _made.Clear();

    public void Dispose() => _made.ForEach(polynomial => polynomial.Dispose());
}
