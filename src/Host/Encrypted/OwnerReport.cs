using System.Globalization;
using ActorTrainer.Actors.KeyHolder;

namespace ActorTrainer.Host.Encrypted;

/// <summary>What the owner served, as lines.</summary>
internal static class OwnerReport
{
    /// <summary>Refreshes and their traffic.</summary>
    public static void WriteRefreshes(TextWriter output, OwnerProtocol.Status status) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"  refreshes       {status.Lifted:N0} ciphertexts in {status.Requests:N0} requests, {status.Seconds:0.0} s of the owner's time, {status.BytesIn / 1e6:N0} MB to it and {status.BytesOut / 1e6:N0} MB back"));

    /// <summary>Values that left their ranges.</summary>
    public static void WriteWarnings(TextWriter output, OwnerProtocol.Status status)
    {
        foreach (var warning in status.Warnings)
        {
            output.WriteLine(warning.IsRoom ? Room(warning) : Interval(warning));
        }
    }

    private static string Interval(RangeWarning warning) => string.Create(
        CultureInfo.InvariantCulture,
        $"  out of range    {warning.Site}: {warning.Outside:N0} of {warning.Seen:N0} values outside of [{warning.Low:g4}, {warning.High:g4}], at worst by {warning.Worst:g3}; calibrate with a wider range");

    private static string Room(RangeWarning warning) => string.Create(
        CultureInfo.InvariantCulture,
        $"  near overflow   {warning.Site}: {warning.Outside:N0} of {warning.Seen:N0} values above {warning.High:g4}, half of what their level has room for, at worst by {warning.Worst:g3}; beyond all of it the ciphertext is lost: lower eval.optim.lr, or calibrate on data like these");
}
