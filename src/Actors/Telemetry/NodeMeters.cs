using System.Diagnostics.Metrics;
using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Actors.Telemetry;

/// <summary>What a node's data plane has done so far, and holds now.</summary>
/// <param name="BytesSent">Payload bytes written to links.</param>
/// <param name="BytesReceived">Payload bytes read from links.</param>
/// <param name="FramesSent">Frames written to links.</param>
/// <param name="FramesReceived">Frames read from links.</param>
/// <param name="Stale">Payloads of earlier attempts that were dropped.</param>
/// <param name="Resumed">Links brought back after they broke.</param>
/// <param name="Queued">Payloads waiting to be sent now.</param>
/// <param name="Links">Links open now.</param>
public readonly record struct DataPlaneReading(
    long BytesSent, long BytesReceived, long FramesSent, long FramesReceived, long Stale, long Resumed, long Queued, long Links);

/// <summary>Instruments that read a node's own counters when somebody looks; whoever has no such part passes null and has no such instruments.</summary>
public static class NodeMeters
{
    /// <summary>Makes the instruments. The delegates are called from any thread, and must be quick.</summary>
    /// <param name="meter">Meter of the process.</param>
    /// <param name="dataPlane">Reads the data plane.</param>
    /// <param name="peers">Reads the data-plane port.</param>
    /// <param name="beats">Beats that came from nodes so far, on a coordinator.</param>
    /// <param name="usableNodes">Nodes that can be used now, on a coordinator.</param>
    public static void Attach(
        Meter meter, Func<DataPlaneReading>? dataPlane = null, Func<PeerCounters>? peers = null, Func<long>? beats = null, Func<int>? usableNodes = null)
    {
        if (dataPlane is not null)
        {
            Count("data_bytes_sent_total", "Payload bytes sent to other nodes", () => dataPlane().BytesSent);
            Count("data_bytes_received_total", "Payload bytes received from other nodes", () => dataPlane().BytesReceived);
            Count("data_frames_sent_total", "Frames sent to other nodes", () => dataPlane().FramesSent);
            Count("data_frames_received_total", "Frames received from other nodes", () => dataPlane().FramesReceived);
            Count("data_stale_total", "Payloads of earlier attempts that were dropped", () => dataPlane().Stale);
            Count("data_resumed_total", "Links brought back after they broke", () => dataPlane().Resumed);
            Gauge("data_queued", "Payloads waiting to be sent", () => dataPlane().Queued);
            Gauge("data_links", "Links open", () => dataPlane().Links);
        }

        if (peers is not null)
        {
            Count("peers_accepted_total", "Connections admitted on the data-plane port", () => peers().Accepted);
            Count("peers_refused_total", "Connections not admitted on the data-plane port", () => peers().Refused);
            Count("peers_malformed_total", "Frames that were garbage, truncated, oversized or failed their checksum", () => peers().Malformed);
            Count("peers_replayed_total", "Frames that had come before and were dropped", () => peers().Replayed);
        }

        if (beats is not null)
        {
            Count("beats_total", "Beats that came from nodes", beats);
        }

        if (usableNodes is not null)
        {
            Gauge("usable_nodes", "Nodes that can be used", () => usableNodes());
        }

        void Count(string name, string what, Func<long> read) => meter.CreateObservableCounter(name, read, null, what);

        void Gauge(string name, string what, Func<long> read) => meter.CreateObservableGauge(name, read, null, what);
    }
}
