using Nacelle.Services.V1Alpha;
using Nacelle.Specs;

namespace Nacelle.Services;

static class KeyValues
{
    public static IEnumerable<KeyValue> Of(IEnumerable<Annotation> annotations) => annotations.Select(one => new KeyValue { Key = one.Name, Value = one.Value });
}
