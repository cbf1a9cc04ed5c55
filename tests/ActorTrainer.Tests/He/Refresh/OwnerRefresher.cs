using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Tests.He.Refresh;

/// <summary>The owner's refresh without a wire between: for tests of whole programs, in which one process may hold everything.</summary>
internal sealed class OwnerRefresher(CkksContext context, SecretKey key, Encryptor encryptor) : IRefresher
{
    private readonly OwnerRefresh _owner = new(context, key, encryptor);

    public int MaxLevel => context.Parameters.MaxLevel;

    public int Refreshed { get; private set; }

    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        Refreshed += ciphertexts.Count;
        return [.. ciphertexts.Select(c => _owner.Refresh(c, level))];
    }
}
