FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DRYDOCK_DATA_DIR=/data DRYDOCK_HOST=0.0.0.0
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt && useradd --create-home --uid 1000 drydock && install -d -o drydock /data
COPY manage.py Procfile ./
COPY dashboard dashboard
COPY functions_app functions_app
COPY templates templates
COPY static static
USER drydock
VOLUME /data
EXPOSE 8000
CMD ["sh", "-c", "python manage.py migrate --noinput && python manage.py collectstatic --noinput && exec uvicorn dashboard.asgi:application --http dashboard.connections:Connection --host 0.0.0.0 --port 8000 --timeout-graceful-shutdown 3 --no-access-log"]
