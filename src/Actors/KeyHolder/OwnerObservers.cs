using System.Numerics;
using ActorTrainer.Actors.Encrypted;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Several observers as one; one that fails does not keep the others from looking.</summary>
public sealed class OwnerObservers(params IReadOnlyList<IOwnerObserver> observers) : IOwnerObserver
{
    /// <inheritdoc/>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots) => Observed(key, index, slots, double.PositiveInfinity);

    /// <inheritdoc/>
    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots, double room)
    {
        Exception? failure = null;
        foreach (var observer in observers)
        {
            try
            {
                observer.Observed(key, index, slots, room);
            }
            catch (Exception e)
            {
                failure = e;
            }
        }

        if (failure is not null)
        {
            throw new InvalidOperationException($"An observer of the owner failed at {key.Site}.", failure);
        }
    }
}
