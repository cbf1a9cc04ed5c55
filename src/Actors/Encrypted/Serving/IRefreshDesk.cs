using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted.Serving;

/// <summary>Decides on requests and answers them: the data owner, or a helper. Members may be called by several threads.</summary>
public interface IRefreshDesk
{
    /// <summary>Of the run's parameters.</summary>
    CkksContext Context { get; }

    /// <summary>Why a request cannot be accepted whatever comes with it, null when it can.</summary>
    internal string? Objection(RefreshProtocol.Request request);

    /// <summary>Answers with a refusal.</summary>
    internal void Reject(RefreshProtocol.Request request, string reason, RefreshConnection connection);

    /// <summary>Has a request answered; blocks while too many wait.</summary>
    /// <param name="ciphertexts">Owned from here on.</param>
    /// <param name="content">Hash of all that came with it.</param>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    internal void Accept(RefreshProtocol.Request request, IReadOnlyList<Ciphertext> ciphertexts, byte[] content, RefreshConnection connection);
}
