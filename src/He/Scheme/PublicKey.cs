using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;

namespace ActorTrainer.He.Scheme;

/// <summary>An encryption of zero, (−a·s + e, a), over the whole chain; a is expanded from a public seed.</summary>
public sealed class PublicKey : IDisposable
{
    internal PublicKey(Polynomial b, Polynomial a, Seed seed, CkksParameters parameters) => (B, A, Seed, Parameters) = (b, a, seed, parameters);

    public CkksParameters Parameters { get; }

    /// <summary>What a is expanded from.</summary>
    public Seed Seed { get; }

    internal Polynomial B { get; }

    internal Polynomial A { get; }

    public void Dispose()
    {
        B.Dispose();
        A.Dispose();
    }
}
