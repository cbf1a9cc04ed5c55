using System.Globalization;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>helper</c>: bootstraps for the stages of a cluster, until it is stopped.</summary>
internal static class HelperCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Reads the keys, takes the port and answers.</summary>
    /// <exception cref="RefusedException">There are no keys for bootstrapping, or the address is none, not protected, or not free.</exception>
    public static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var (run, gate) = (context.Run, new Lock());
        void Say(string text)
        {
            lock (gate)
            {
                context.Out.WriteLine(text);
                context.Out.Flush();
            }
        }

        var address = context.Option("listen") ?? throw new RefusedException("listen=HOST:PORT is missing: say where the stages reach this helper, and name it in their he.helpers.");
        var folder = context.Option("keys") ?? EncryptedFolders.Keys(run);
        var manifest = KeyManifest.Load(folder);
        var parameters = manifest.ReadParameters(run.He.AllowInsecure);
        if (!BootstrapShape.Fits(parameters))
        {
            throw new RefusedException($"{folder}: keys of {parameters.Name}, which has no levels for bootstrapping. Make keys with he=bootstrap.");
        }

        using var ckks = new CkksContext(parameters, run.He.ThreadCount());
        var bootstrapper = new Bootstrapper(parameters, BootstrapShape.For(parameters));
        using var network = OwnerPort.Open(run.Cluster, address, reason => Say($"refused: {reason}"), isHelper: true);
        Say($"reading {manifest.EvaluationKeys.Bytes / 1e6:N0} MB of keys {manifest.KeySha256[..16]}");
        using var keys = manifest.ReadEvaluationKeys(folder, ckks, bootstrapper.Requests(), run.He.KeyBytes());
        if (keys.Encapsulation is null)
        {
            throw new RefusedException($"{folder}: keys without those for bootstrapping; make them with he=bootstrap.");
        }

        using var diagonals = new DiagonalCache((long)run.He.Cache << 20);
        var refresher = new BootstrapRefresher(new Evaluator(new CkksBackend(ckks, keys) { Diagonals = diagonals }), bootstrapper);
        using var helper = new BootstrapHelper(ckks, refresher, (request, seconds) => Say(string.Create(
            CultureInfo.InvariantCulture, $"{request.Key.Run} step {request.Key.Step}: {request.Count} of {request.Key.Site} in {seconds:F1} s")));
        network.Serve(PeerPurpose.Refresh, new RefreshServer(helper, new PeerCounters(), Patience).Handle);
        network.Listen();
        Say($"helper at {address}: {parameters.Name}, {run.He.ThreadCount()} threads; no secret key is here");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Say("the helper leaves; the stages do its work themselves");
        }

        return App.Done;
    }
}
