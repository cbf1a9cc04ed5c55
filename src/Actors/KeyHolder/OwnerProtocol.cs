using ActorTrainer.Actors.Encrypted;
using Akka.Actor;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>Messages within the data owner's process; none is ever sent to another.</summary>
public static class OwnerProtocol
{
    /// <summary>How a request ended.</summary>
    public enum Outcome
    {
        Answered,
        AnsweredAgain,
        Rejected,

        /// <summary>The owner's own fault; the connection was closed, and the stage will ask again.</summary>
        Failed,
    }

    /// <summary>A request was served.</summary>
    /// <param name="Key">Which.</param>
    /// <param name="Report">Whether it was only looked at.</param>
    /// <param name="Outcome">How it ended.</param>
    /// <param name="Ciphertexts">How many it had.</param>
    /// <param name="BytesIn">Of its ciphertexts.</param>
    /// <param name="BytesOut">Of the answer's.</param>
    /// <param name="Seconds">Of computing.</param>
    /// <param name="Reason">Why it was rejected or failed, for the owner; else empty.</param>
    public sealed record Served(
        RefreshKey Key, bool Report, Outcome Outcome, int Ciphertexts, long BytesIn, long BytesOut, double Seconds, string Reason) : INoSerializationVerificationNeeded;

    /// <summary>What the owner has done.</summary>
    /// <param name="Requests">Requests answered, repeated ones and reports included.</param>
    /// <param name="Lifted">Ciphertexts lifted.</param>
    /// <param name="Reported">Ciphertexts only looked at.</param>
    /// <param name="Repeated">Requests answered again.</param>
    /// <param name="Rejected">Requests rejected.</param>
    /// <param name="Failed">Requests that failed here.</param>
    /// <param name="BytesIn">Of ciphertexts that came.</param>
    /// <param name="BytesOut">Of ciphertexts that went.</param>
    /// <param name="Seconds">Of computing, all threads together.</param>
    /// <param name="Attempt">Newest attempt served, −1 before the first.</param>
    /// <param name="Step">Newest step of it, −1 before the first.</param>
    /// <param name="Trouble">The last rejection or failure, for people; else empty.</param>
    /// <param name="Warnings">Sites that left their intervals.</param>
    public sealed record Status(
        long Requests,
        long Lifted,
        long Reported,
        long Repeated,
        long Rejected,
        long Failed,
        long BytesIn,
        long BytesOut,
        double Seconds,
        int Attempt,
        long Step,
        string Trouble,
        IReadOnlyList<RangeWarning> Warnings) : INoSerializationVerificationNeeded
    {
        /// <summary>Before the first request.</summary>
        public static Status Nothing { get; } = new(0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, "", []);

        /// <summary>The status after another request.</summary>
        public Status After(Served served)
        {
            var spent = this with { BytesIn = BytesIn + served.BytesIn, BytesOut = BytesOut + served.BytesOut, Seconds = Seconds + served.Seconds };
            return served.Outcome switch
            {
                Outcome.Rejected => spent with { Rejected = Rejected + 1, Trouble = $"{served.Key}: {served.Reason}" },
                Outcome.Failed => spent with { Failed = Failed + 1, Trouble = $"{served.Key}: {served.Reason}" },
                _ => spent with
                {
                    Requests = Requests + 1,
                    Lifted = Lifted + (served.Report ? 0 : served.Ciphertexts),
                    Reported = Reported + (served.Report ? served.Ciphertexts : 0),
                    Repeated = Repeated + (served.Outcome == Outcome.AnsweredAgain ? 1 : 0),
                    Attempt = Math.Max(Attempt, served.Key.Attempt),
                    Step = served.Key.Attempt > Attempt ? served.Key.Step : Math.Max(Step, served.Key.Step),
                },
            };
        }
    }
}
