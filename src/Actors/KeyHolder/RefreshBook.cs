using ActorTrainer.Actors.Encrypted;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>What to do with a request.</summary>
public enum RefreshDecision
{
    /// <summary>It is new: answer it.</summary>
    Answer,

    /// <summary>It came before with the same content, over a connection that was lost: answer it again, with another encryption.</summary>
    AnswerAgain,

    /// <summary>Do not answer it.</summary>
    Reject,
}

/// <summary>A decision.</summary>
/// <param name="Decision">What to do.</param>
/// <param name="Reason">Why it is rejected, for both sides; else empty.</param>
public readonly record struct RefreshVerdict(RefreshDecision Decision, string Reason)
{
    /// <summary>Not this one.</summary>
    public static RefreshVerdict Reject(string reason) => new(RefreshDecision.Reject, reason);
}

/// <summary>
/// Binds every answer of the data owner to one request: a key is answered for one content only, of the newest attempt, and of the step under way or the one before
/// it. Keys older than that are forgotten, since they are rejected anyway. It depends on nothing but what it is asked; one thread at a time.
/// </summary>
public sealed class RefreshBook
{
    private readonly IReadOnlySet<string>? _sites;
    private readonly int _mostKeys;
    private readonly SortedDictionary<long, Dictionary<RefreshKey, byte[]>> _steps = [];
    private string? _run;
    private int _attempt = -1;

    /// <param name="run">The run that is served; null: the first that asks.</param>
    /// <param name="sites">All sites of the program; null: any.</param>
    /// <param name="mostKeys">Most keys of two steps: more are rejected, so that nobody fills the owner's memory.</param>
    public RefreshBook(string? run = null, IReadOnlySet<string>? sites = null, int mostKeys = 1 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mostKeys);
        (_run, _sites, _mostKeys) = (run, sites, mostKeys);
    }

    /// <summary>Keys that are remembered.</summary>
    public int Count => _steps.Values.Sum(keys => keys.Count);

    /// <summary>Why a key cannot be accepted whatever comes with it, null when it can. Remembers nothing.</summary>
    public string? Objection(in RefreshKey key) =>
        key.Flaw() is { } flaw ? flaw
        : _run is not null && key.Run != _run ? $"this owner serves the run {_run}"
        : _sites?.Contains(key.Site) == false ? "the program has no such site"
        : key.Attempt < _attempt ? $"attempt {_attempt} has begun"
        : key.Attempt == _attempt && key.Step < Newest - 1 ? $"step {Newest} is under way"
        : null;

    /// <summary>Decides, and remembers what is accepted.</summary>
    /// <param name="key">Identity of the request.</param>
    /// <param name="content">SHA-256 of what comes with it: kind, level and ciphertexts.</param>
    public RefreshVerdict Decide(in RefreshKey key, ReadOnlySpan<byte> content)
    {
        if (Objection(key) is { } objection)
        {
            return RefreshVerdict.Reject(objection);
        }

        if (key.Attempt > _attempt)
        {
            _steps.Clear();
            (_run, _attempt) = (key.Run, key.Attempt);
        }

        if (_steps.TryGetValue(key.Step, out var keys) && keys.TryGetValue(key, out var known))
        {
            return content.SequenceEqual(known)
                ? new RefreshVerdict(RefreshDecision.AnswerAgain, "")
                : RefreshVerdict.Reject("it was asked before, with other ciphertexts");
        }

        ForgetBefore(key.Step - 1);
        if (Count >= _mostKeys)
        {
            return RefreshVerdict.Reject($"{_mostKeys} requests of two steps are more than a program has");
        }

        if (keys is null)
        {
            _steps.Add(key.Step, keys = []);
        }

        keys.Add(key, content.ToArray());
        return new RefreshVerdict(RefreshDecision.Answer, "");
    }

    private long Newest => _steps.Count == 0 ? 0 : _steps.Keys.Max();

    private void ForgetBefore(long step)
    {
        foreach (var old in _steps.Keys.Where(old => old < step).ToList())
        {
            _steps.Remove(old);
        }
    }
}
