using ActorTrainer.He.Parameters;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>What goes between stages and the data owner for refreshes.</summary>
/// <param name="Requests">Requests of the program.</param>
/// <param name="Ciphertexts">Refreshed.</param>
/// <param name="ToOwner">Bytes to the owner.</param>
/// <param name="FromOwner">Bytes back: answers are seeded.</param>
/// <param name="OwnerSeconds">The owner's work on one thread.</param>
/// <param name="WaitSeconds">Until the answers are there, when the owner has nothing else to do.</param>
public sealed record OwnerTraffic(long Requests, long Ciphertexts, long ToOwner, long FromOwner, double OwnerSeconds, double WaitSeconds)
{
    /// <summary>Of one unit's pass.</summary>
    /// <param name="speed">Of owner and network.</param>
    public static OwnerTraffic Of(CkksParameters parameters, PlannedUnit unit, PlanPass pass, OwnerSpeed speed)
    {
        var sum = new OwnerTraffic(0, 0, 0, 0, 0, 0);
        foreach (var (lift, times) in unit.Blocks.Where(block => block.Pass == pass).SelectMany(block => block.Lifts).Where(entry => entry.Key.IsOwners))
        {
            var (sent, answered) = (lift.Count * WireSize.Ciphertext(parameters, lift.From), lift.Count * WireSize.Ciphertext(parameters, lift.To, seeded: true));
            var each = speed.Seconds(lift.To);
            var wait = (Math.Ceiling((double)lift.Count / speed.AtOnce) * each) + ((sent + answered) / speed.BytesPerSecond);
            sum += new OwnerTraffic(times, times * lift.Count, times * sent, times * answered, times * lift.Count * each, times * wait);
        }

        return sum;
    }

    /// <summary>Of a step of these units.</summary>
    /// <inheritdoc cref="Of(CkksParameters, PlannedUnit, PlanPass, OwnerSpeed)"/>
    public static OwnerTraffic Of(CkksParameters parameters, IEnumerable<PlannedUnit> units, int microBatches, OwnerSpeed speed) =>
        units.SelectMany(unit => Enum.GetValues<PlanPass>().Select(pass => Of(parameters, unit, pass, speed) * PlannedUnit.Times(pass, microBatches)))
            .Aggregate(new OwnerTraffic(0, 0, 0, 0, 0, 0), (a, b) => a + b);

    public static OwnerTraffic operator +(OwnerTraffic a, OwnerTraffic b) => new(
        a.Requests + b.Requests, a.Ciphertexts + b.Ciphertexts, a.ToOwner + b.ToOwner, a.FromOwner + b.FromOwner, a.OwnerSeconds + b.OwnerSeconds, a.WaitSeconds + b.WaitSeconds);

    public static OwnerTraffic operator *(OwnerTraffic a, int times) => new(
        a.Requests * times, a.Ciphertexts * times, a.ToOwner * times, a.FromOwner * times, a.OwnerSeconds * times, a.WaitSeconds * times);
}

/// <summary>How fast the data owner is.</summary>
/// <param name="Low">Seconds of one refresh to level 1, on one thread.</param>
/// <param name="High">Seconds of one to the highest level.</param>
/// <param name="MaxLevel">The highest level.</param>
/// <param name="Cores">Threads of the owner.</param>
/// <param name="BytesPerSecond">Of the network, between any two machines.</param>
public sealed record OwnerSpeed(double Low, double High, int MaxLevel, int Cores, double BytesPerSecond)
{
    /// <summary>Ciphertexts of one request that are computed at once.</summary>
    public int AtOnce => Math.Min(Cores, new OwnerRefresherSettings().MaxInFlight);

    /// <summary>Seconds of one refresh on one thread.</summary>
    public double Seconds(int level) => Math.Max(0, Low + ((High - Low) * (level - 1) / Math.Max(1, MaxLevel - 1)));
}
