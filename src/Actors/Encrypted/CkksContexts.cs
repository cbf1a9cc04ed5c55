using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// The contexts of a process, one for each parameter set: stages and data plane of one process share them, so that ciphertexts change hands without a copy.
/// </summary>
public sealed class CkksContexts : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CkksContext> _contexts = [];
    private readonly HashSet<CkksContext> _lent = [];

    /// <param name="lent">Contexts that are there already and stay their owners'.</param>
    public CkksContexts(params IReadOnlyList<CkksContext> lent)
    {
        foreach (var context in lent)
        {
            _contexts.Add(Key(context.Parameters.Fingerprint.Span), context);
            _lent.Add(context);
        }
    }

    /// <summary>The context of a parameter set; made when it is asked for first.</summary>
    /// <param name="threads">Threads of one operation, where it is made.</param>
    public CkksContext Open(CkksParameters parameters, int threads)
    {
        lock (_gate)
        {
            var key = Key(parameters.Fingerprint.Span);
            return _contexts.TryGetValue(key, out var context) ? context : _contexts[key] = new CkksContext(parameters, threads);
        }
    }

    /// <summary>The context of a fingerprint; null: nobody here has asked for it.</summary>
    public CkksContext? Find(ReadOnlySpan<byte> fingerprint)
    {
        lock (_gate)
        {
            return _contexts.GetValueOrDefault(Key(fingerprint));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var context in _contexts.Values.Except(_lent))
            {
                context.Dispose();
            }

            _contexts.Clear();
        }
    }

    private static string Key(ReadOnlySpan<byte> fingerprint) => Convert.ToHexStringLower(fingerprint);
}
