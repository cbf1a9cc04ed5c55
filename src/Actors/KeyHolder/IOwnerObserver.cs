using System.Numerics;
using ActorTrainer.Actors.Encrypted;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Sees, on the owner's side only, what was decrypted. Several threads call it at once; what it does or throws changes no answer.</summary>
public interface IOwnerObserver
{
    /// <summary>Slots of one ciphertext. A request that is sent again is seen again, with the same key.</summary>
    /// <param name="key">The request.</param>
    /// <param name="index">Of the ciphertext within the request.</param>
    /// <param name="slots">With noise that depends on the secret key: they must not leave the owner.</param>
    void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots);
}
