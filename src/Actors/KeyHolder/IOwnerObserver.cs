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

    /// <summary>The same with what there is room for; who does not need it is told without.</summary>
    /// <param name="room">Largest absolute value for which the ciphertext's level had room: beyond it, slots are wrong, all of them.</param>
    /// <inheritdoc cref="Observed(RefreshKey, int, IReadOnlyList{Complex})"/>
    void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots, double room) => Observed(key, index, slots);
}
