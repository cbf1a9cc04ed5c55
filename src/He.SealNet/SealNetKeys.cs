using Microsoft.Research.SEAL;

namespace ActorTrainer.He.SealNet;

/// <summary>SEAL's public keys with which ciphertexts are computed on.</summary>
public sealed class SealNetKeys : IDisposable
{
    internal SealNetKeys(PublicKey encryption, RelinKeys? products, GaloisKeys automorphisms) =>
        (Encryption, Products, Automorphisms) = (encryption, products, automorphisms);

    internal PublicKey Encryption { get; }

    internal RelinKeys? Products { get; }

    internal GaloisKeys Automorphisms { get; }

    public void Dispose()
    {
        Encryption.Dispose();
        Products?.Dispose();
        Automorphisms.Dispose();
    }
}
