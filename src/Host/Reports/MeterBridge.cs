using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Prometheus;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Keeps a Prometheus registry up to date with the instruments of one meter. prometheus-net's own adapter shows no values on this
/// runtime, and forgets series after a day without an update.
/// </summary>
public sealed class MeterBridge : IDisposable
{
    /// <summary>Bounds of all histograms, in seconds: 10 ms to 5 min.</summary>
    private static readonly double[] Buckets = Prometheus.Histogram.ExponentialBuckets(0.01, 2, 16);

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, Action<double, string[]>> _sinks = new();
    private readonly IMetricFactory _metrics;

    /// <summary>Connects the two; observable instruments are read whenever the registry is collected.</summary>
    /// <param name="meter">Source; its name, in lower case, begins the name of every metric.</param>
    /// <param name="registry">Destination.</param>
    public MeterBridge(Meter meter, CollectorRegistry registry)
    {
        _metrics = Metrics.WithCustomRegistry(registry);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, labels, _) => Take(instrument, value, labels));
        _listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) => Take(instrument, value, labels));
        _listener.SetMeasurementEventCallback<double>((instrument, value, labels, _) => Take(instrument, value, labels));
        _listener.Start();
        registry.AddBeforeCollectCallback(_listener.RecordObservableInstruments);
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var values = new string[labels.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Convert.ToString(labels[i].Value, System.Globalization.CultureInfo.InvariantCulture) ?? "";
        }

        if (!_sinks.TryGetValue(instrument, out var sink))
        {
            var names = new string[labels.Length];
            for (var i = 0; i < names.Length; i++)
            {
                names[i] = labels[i].Key;
            }

            sink = _sinks.GetOrAdd(instrument, Sink(instrument, names));
        }

        sink(value, values);
    }

    /// <summary>An instrument's labels are those of its first measurement.</summary>
    private Action<double, string[]> Sink(Instrument instrument, string[] labels)
    {
        var name = $"{instrument.Meter.Name.ToLowerInvariant()}_{instrument.Name}";
        var help = instrument.Description ?? "";
        var kind = instrument.GetType().GetGenericTypeDefinition();
        if (kind == typeof(Counter<>))
        {
            var counter = _metrics.CreateCounter(name, help, labels);
            return (value, at) => counter.WithLabels(at).Inc(value);
        }

        if (kind == typeof(ObservableCounter<>))
        {
            var counter = _metrics.CreateCounter(name, help, labels);
            return (value, at) => counter.WithLabels(at).IncTo(value);
        }

        if (kind == typeof(Histogram<>))
        {
            var histogram = _metrics.CreateHistogram(name, help, labels, new HistogramConfiguration { Buckets = Buckets });
            return (value, at) => histogram.WithLabels(at).Observe(value);
        }

        var gauge = _metrics.CreateGauge(name, help, labels);
        return kind == typeof(UpDownCounter<>) ? (value, at) => gauge.WithLabels(at).Inc(value) : (value, at) => gauge.WithLabels(at).Set(value);
    }
}
