using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>An accepted request on its way to a thread that refreshes. It ends with <see cref="Answer"/> or <see cref="Drop"/>, once.</summary>
/// <param name="request">Its header.</param>
/// <param name="ciphertexts">Owned until then.</param>
/// <param name="connection">Where it came from.</param>
internal sealed class RefreshJob(RefreshProtocol.Request request, IReadOnlyList<Ciphertext> ciphertexts, RefreshConnection connection) : IDisposable
{
    public RefreshProtocol.Request Request => request;

    public IReadOnlyList<Ciphertext> Ciphertexts => ciphertexts;

    /// <summary>Whether this was answered before, over a connection that was lost.</summary>
    public bool Again { get; init; }

    /// <summary>False: nobody is left to be answered; who is will ask again.</summary>
    public bool IsWanted => !connection.IsBroken;

    /// <summary>Sends an answer's header and ciphertexts.</summary>
    public void Answer(byte[] frame) => connection.Post(frame);

    /// <summary>Closes the connection: the request will come again over another one.</summary>
    public void Drop() => connection.Break();

    public void Dispose()
    {
        foreach (var ciphertext in ciphertexts)
        {
            ciphertext.Dispose();
        }
    }
}
