using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>The way to the data owner. A request whose answer was lost is sent again, unchanged, until it is answered: a lost owner pauses a run and does not end it.</summary>
public interface IRefreshChannel : IDisposable
{
    /// <summary>The owner, for people, while it is needed and away; else null.</summary>
    string? Outage => null;

    /// <summary>Sends ciphertexts and returns; they have been written by then and may be disposed.</summary>
    /// <param name="request">Key, kind and level.</param>
    /// <param name="ciphertexts">As many as the request says.</param>
    /// <param name="cancel">Gives the request up; the channel goes on with others.</param>
    /// <returns>
    /// The answer's ciphertexts, the receiver's from then on; none for a report. Fails with <see cref="Model.Common.RefusedException"/> where the owner rejects the
    /// request.
    /// </returns>
    /// <exception cref="MisuseException">A ciphertext cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The channel was closed.</exception>
    Task<IReadOnlyList<Ciphertext>> Ask(RefreshRequest request, IReadOnlyList<Ciphertext> ciphertexts, CancellationToken cancel);
}
