using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>How requests are cut.</summary>
/// <param name="PartSize">Most ciphertexts in one request, at most <see cref="RefreshProtocol.MaxCiphertexts"/>.</param>
/// <param name="MaxInFlight">Most requests under way at a time: so much the owner can work on at once for one stage.</param>
public sealed record OwnerRefresherSettings(int PartSize = 4, int MaxInFlight = 4);

/// <summary>
/// Refreshes by the data owner, for one stage: a request is cut into parts that are under way at once, each bound to run, attempt, step, micro-batch and site. All but
/// <see cref="Cancel"/> is for the stage's thread; it blocks for as long as the owner is away.
/// </summary>
/// <param name="context">Of the run's parameters.</param>
/// <param name="channel">To the owner; this one's from here on.</param>
/// <param name="settings">How requests are cut.</param>
/// <param name="time">Measures waiting.</param>
public sealed class OwnerRefresher(CkksContext context, IRefreshChannel channel, OwnerRefresherSettings? settings = null, TimeProvider? time = null) : IOwnerLink
{
    private readonly OwnerRefresherSettings _settings = Checked(settings ?? new OwnerRefresherSettings());
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private readonly Dictionary<(int MicroBatch, string Site), int> _ordinals = [];
    private RefreshKey? _scope;
    private CancellationTokenSource _cancel = new();

    /// <inheritdoc/>
    public int MaxLevel => context.Parameters.MaxLevel;

    /// <summary>Ciphertexts lifted by site and level.</summary>
    public RefreshLedger Ledger { get; } = new();

    /// <inheritdoc/>
    public string? Outage => channel.Outage;

    /// <inheritdoc/>
    public RefreshTraffic Traffic { get; private set; }

    /// <summary>
    /// Says what the next requests belong to. Numbers of requests begin anew with every step, phase and attempt; a micro-batch that comes back, as for its backward,
    /// counts on, so that no key is used twice.
    /// </summary>
    /// <param name="microBatch">−1 for what belongs to none.</param>
    /// <exception cref="ArgumentException">One of them cannot be.</exception>
    public void Begin(string run, int attempt, long step, Phase phase, int microBatch)
    {
        var scope = new RefreshKey(run, attempt, step, phase, microBatch, "any", 0);
        if (scope.Flaw() is { } flaw)
        {
            throw new ArgumentException($"Requests to the data owner cannot belong to that: {flaw}.");
        }

        lock (_gate)
        {
            if (_scope is { } last && last with { MicroBatch = microBatch } != scope)
            {
                _ordinals.Clear();
                if ((last.Run, last.Attempt) != (run, attempt) && _cancel.IsCancellationRequested)
                {
                    _cancel = new CancellationTokenSource();
                }
            }

            _scope = scope;
        }
    }

    /// <summary>
    /// Gives up whatever is asked now and will be asked until another attempt begins; from any thread. A blocked call ends with
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    public void Cancel()
    {
        lock (_gate)
        {
            _cancel.Cancel();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Cancel();
        channel.Dispose();
    }

    /// <inheritdoc/>
    /// <exception cref="Model.Common.RefusedException">The owner rejected the request.</exception>
    /// <exception cref="IOException">What it answered is not what was asked for.</exception>
    /// <exception cref="OperationCanceledException">The stage was given up.</exception>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        if (level < 0 || level > MaxLevel || ciphertexts.FirstOrDefault(c => c.Size != 2) is { } _)
        {
            throw new MisuseException($"Cannot refresh {site} to level {level}: expected ciphertexts of two parts and a level of at most {MaxLevel}.");
        }

        var lifted = Exchange(RefreshProtocol.Question.Refresh, ciphertexts, level, site);
        Ledger.Note(site, level, ciphertexts.Count);
        return lifted;
    }

    /// <summary>Shows ciphertexts to the owner, which looks at them and says nothing: outputs, gradients. Returns when it has them.</summary>
    /// <param name="ciphertexts">Of two parts each; they are kept.</param>
    /// <param name="site">What they are.</param>
    /// <inheritdoc cref="Refresh" path="/exception"/>
    public void Report(IReadOnlyList<Ciphertext> ciphertexts, string site) => Exchange(RefreshProtocol.Question.Report, ciphertexts, 0, site);

    private static OwnerRefresherSettings Checked(OwnerRefresherSettings settings) =>
        settings is { PartSize: >= 1 and <= RefreshProtocol.MaxCiphertexts, MaxInFlight: >= 1 }
            ? settings
            : throw new ArgumentException($"Expected parts of 1 to {RefreshProtocol.MaxCiphertexts} ciphertexts and at least one request under way; found {settings}.", nameof(settings));

    private List<Ciphertext> Exchange(RefreshProtocol.Question kind, IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Token());
        var (answered, underWay) = (new List<Ciphertext>(), new Queue<(RefreshRequest Request, long Bytes, Task<IReadOnlyList<Ciphertext>> Answer)>());
        try
        {
            // Few ciphertexts are spread over as many requests as may be under way, so that the owner works on them at once.
            var most = Math.Clamp((ciphertexts.Count + _settings.MaxInFlight - 1) / _settings.MaxInFlight, 1, _settings.PartSize);
            foreach (var part in ciphertexts.Chunk(most))
            {
                if (underWay.Count == _settings.MaxInFlight)
                {
                    Take();
                }

                var request = new RefreshRequest(kind, NextKey(site), level, part.Length);
                underWay.Enqueue((request, part.Sum(WireSize.Of), channel.Ask(request, part, giveUp.Token)));
            }

            while (underWay.Count > 0)
            {
                Take();
            }

            return answered;
        }
        catch
        {
            giveUp.Cancel();
            answered.ForEach(ciphertext => ciphertext.Dispose());
            foreach (var (_, _, answer) in underWay)
            {
                Forget(answer);
            }

            throw;
        }

        void Take()
        {
            var (request, bytes, answer) = underWay.Dequeue();
            var got = Wait(answer, giveUp.Token);
            if (request.Flaw(got, context.Parameters) is { } flaw)
            {
                foreach (var ciphertext in got)
                {
                    ciphertext.Dispose();
                }

                throw new IOException($"The data owner answered {request.Key} with {flaw}.");
            }

            answered.AddRange(got);
            var lifted = kind == RefreshProtocol.Question.Refresh ? request.Ciphertexts : 0;
            Traffic = Traffic with
            {
                Requests = Traffic.Requests + 1,
                Lifted = Traffic.Lifted + lifted,
                Reported = Traffic.Reported + request.Ciphertexts - lifted,
                BytesSent = Traffic.BytesSent + bytes,
                BytesReceived = Traffic.BytesReceived + got.Sum(WireSize.Of),
            };
        }
    }

    private IReadOnlyList<Ciphertext> Wait(Task<IReadOnlyList<Ciphertext>> answer, CancellationToken cancel)
    {
        var start = _time.GetTimestamp();
        try
        {
            answer.Wait(cancel);
        }
        catch (AggregateException)
        {
            // Thrown below as what it is.
        }
        catch (OperationCanceledException)
        {
            Forget(answer);
            throw;
        }

        Traffic = Traffic with { Seconds = Traffic.Seconds + _time.GetElapsedTime(start).TotalSeconds };
        return answer.GetAwaiter().GetResult();
    }

    /// <summary>Frees what comes although nobody waits for it.</summary>
    private static void Forget(Task<IReadOnlyList<Ciphertext>> answer) => answer.ContinueWith(
        late =>
        {
            if (late.IsCompletedSuccessfully)
            {
                foreach (var ciphertext in late.Result)
                {
                    ciphertext.Dispose();
                }
            }
            else
            {
                _ = late.Exception; // seen
            }
        },
        TaskScheduler.Default);

    private CancellationToken Token()
    {
        lock (_gate)
        {
            _cancel.Token.ThrowIfCancellationRequested();
            return _cancel.Token;
        }
    }

    private RefreshKey NextKey(string site)
    {
        var scope = _scope ?? throw new InvalidOperationException($"Nothing has begun that a request for {site} could belong to: call {nameof(Begin)} first.");
        if (!RefreshKey.IsSite(site))
        {
            throw new ArgumentException($"\"{site}\" is no site: expected are 1 to {RefreshKey.MaxSite} letters, digits and . - _", nameof(site));
        }

        var ordinal = _ordinals.GetValueOrDefault((scope.MicroBatch, site));
        _ordinals[(scope.MicroBatch, site)] = ordinal + 1;
        return scope with { Site = site, Ordinal = ordinal };
    }
}
