using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// Spreads the bootstraps of a request over this node and its helpers, two ciphertexts at a time, as they go through together. Whoever is free takes the next; this node does what is left, and what a lost
/// helper has not answered. Where a thing is computed makes no difference to its bits.
/// </summary>
/// <param name="own">Of this node.</param>
/// <param name="helpers">Ways to helpers; not owned. A lost one is left out until it answers.</param>
/// <param name="bounds">The largest size of a site's slots, which a helper is told; null: as ciphertexts declare.</param>
/// <param name="time">For looking after helpers.</param>
public sealed class SharedRefresher(IRefresher own, IReadOnlyList<IOwnerLink> helpers, Func<string, double?>? bounds = null, TimeProvider? time = null) : IRefresher
{
    private const int Together = 2;

    /// <summary>How often a helper that is waited for is looked after.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly Helper[] _helpers = [.. helpers.Select(link => new Helper(link))];
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public int MaxLevel => own.MaxLevel;

    /// <inheritdoc/>
    public int Floor => own.Floor;

    /// <inheritdoc/>
    public int Reach(string site) => own.Reach(site);

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The stage was given up.</exception>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
    {
        Ciphertext[][] parts = [.. ciphertexts.Chunk(Together)];
        var lifted = new IReadOnlyList<Ciphertext>?[parts.Length];
        var (open, underWay) = (new Queue<int>(Enumerable.Range(0, parts.Length)), new List<Exchange>());
        try
        {
            while (open.Count > 0 || underWay.Count > 0)
            {
                // One is for this node, which would wait for nothing otherwise.
                foreach (var helper in _helpers.Where(helper => helper.IsFree).Take(open.Count - 1).ToArray())
                {
                    underWay.Add(helper.Begin(open.Dequeue(), Declared, level, site));
                }

                if (open.Count > 0)
                {
                    var part = open.Dequeue();
                    lifted[part] = own.Refresh(parts[part], level, site);
                }
                else
                {
                    Wait(underWay);
                }

                Collect(underWay, lifted, open);
            }

            return [.. lifted.SelectMany(part => part!)];
        }
        catch
        {
            underWay.ForEach(exchange => exchange.Forget());
            Free(lifted);
            throw;
        }

        Ciphertext[] Declared(int part) =>
            bounds?.Invoke(site) is { } bound ? [.. parts[part].Select(ciphertext => ciphertext.WithMagnitude(bound))] : parts[part];
    }

    private void Wait(List<Exchange> underWay)
    {
        var any = Task.WhenAny(underWay.Select(exchange => exchange.Answer));
        Task.WhenAny(any, Task.Delay(Look, _time)).GetAwaiter().GetResult();
    }

    /// <summary>Takes answers in; what was rejected, failed or lost is open again.</summary>
    private static void Collect(List<Exchange> underWay, IReadOnlyList<Ciphertext>?[] lifted, Queue<int> open)
    {
        foreach (var exchange in underWay.ToArray())
        {
            if (exchange.Answer.IsCompletedSuccessfully)
            {
                lifted[exchange.Part] = exchange.Answer.Result;
            }
            else if (exchange.Answer.Exception?.InnerException is { } fault && fault is not (IOException or RefusedException or ObjectDisposedException))
            {
                throw fault;
            }
            else if (exchange.Answer.IsCompleted || exchange.IsLost)
            {
                exchange.Forget();
                open.Enqueue(exchange.Part);
            }
            else
            {
                continue;
            }

            underWay.Remove(exchange);
        }
    }

    private static void Free(IEnumerable<IReadOnlyList<Ciphertext>?> lifted)
    {
        foreach (var ciphertext in lifted.Where(part => part is not null).SelectMany(part => part!))
        {
            ciphertext.Dispose();
        }
    }

    /// <summary>A helper, which does one thing at a time; given up or not, it is free when that has ended.</summary>
    private sealed class Helper(IOwnerLink link)
    {
        private Task? _busy;

        public bool IsFree => _busy?.IsCompleted != false && link.Outage is null;

        public Exchange Begin(int part, Func<int, Ciphertext[]> ciphertexts, int level, string site)
        {
            var answer = Task.Factory.StartNew(() => link.Refresh(ciphertexts(part), level, site), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            _busy = answer;
            return new Exchange(part, answer, link);
        }
    }

    /// <summary>What a helper was asked for.</summary>
    private sealed record Exchange(int Part, Task<IReadOnlyList<Ciphertext>> Answer, IOwnerLink Link)
    {
        public bool IsLost => Link.Outage is not null;

        /// <summary>Frees what comes although nobody waits for it.</summary>
        public void Forget() => Answer.ContinueWith(
            late =>
            {
                if (late.IsCompletedSuccessfully)
                {
                    Free([late.Result]);
                }
                else
                {
                    _ = late.Exception; // seen
                }
            },
            TaskScheduler.Default);
    }
}
